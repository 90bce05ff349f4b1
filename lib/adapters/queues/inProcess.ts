import type { DeliveryJob, DeliveryQueue, DeliveryRun, FailedDelivery } from '../../contracts/queue.ts'
import { checkOptionNames, type OptionNames } from '../optionNames.ts'
import { createSchedule, type RetryOptions } from './retry.ts'

/** What `inProcessQueue` takes. */
export interface InProcessQueueOptions extends RetryOptions {
  /** Calls to one client's endpoint at a time, so that a dead endpoint delays only its own client. Defaults to 4. */
  readonly concurrencyPerClient?: number
  /** Epoch milliseconds. Defaults to `Date.now`. */
  readonly clock?: () => number
}

interface Entry {
  readonly job: DeliveryJob
  state: 'asleep' | 'waiting' | 'running'
  /** Ends the sleep. */
  timer: NodeJS.Timeout | undefined
  attempts: number
  /** Woken while running: a run that found nothing to do has to look again. */
  isWoken: boolean
}

const names: OptionNames<InProcessQueueOptions> = {
  firstRetrySeconds: true,
  maxRetrySeconds: true,
  concurrencyPerClient: true,
  clock: true,
}
const maxFailures = 1000
/** The longest wait that a timer of Node can hold. */
const maxTimerMs = 2 ** 31 - 1

/**
 * The default queue: in the memory of this process. What it holds is lost with the process; ping clients then learn
 * the outcome by polling, push clients not at all. Use `bullmqQueue` where that matters, or for several machines.
 * @throws TypeError when an option is unknown.
 * @example
 * ```ts
 * createBackchannelRouter({ issuer, clients, users, delivery: { queue: inProcessQueue({ maxRetrySeconds: 10 }) } })
 * ```
 */
export function inProcessQueue(options: InProcessQueueOptions = {}): DeliveryQueue {
  checkOptionNames('inProcessQueue', options, names)
  const { concurrencyPerClient = 4, clock = Date.now } = options
  const schedule = createSchedule(options, Number.POSITIVE_INFINITY)
  const entries = new Map<string, Entry>()
  const failures = createFailures()
  const turns = createTurns(concurrencyPerClient)
  let run: DeliveryRun | undefined
  let isClosed = false

  function entryOf(job: DeliveryJob): Entry {
    const known = entries.get(job.request)
    if (known !== undefined) return known
    const entry: Entry = { job, state: 'asleep', timer: undefined, attempts: 0, isWoken: false }
    entries.set(job.request, entry)
    return entry
  }

  function sleepUntil(entry: Entry, time: number): void {
    entry.state = 'asleep'
    if (isClosed) return
    const onTimer = () => (clock() < time ? sleepUntil(entry, time) : takeTurn(entry))
    entry.timer = setTimeout(onTimer, Math.min(Math.max(0, time - clock()), maxTimerMs)).unref()
  }

  function takeTurn(entry: Entry): void {
    clearTimeout(entry.timer)
    entry.state = 'waiting'
    turns.take(entry.job.clientId, () => runOnce(entry))
  }

  async function runOnce(entry: Entry): Promise<void> {
    if (isClosed) return
    const { job } = entry
    entry.state = 'running'
    entry.isWoken = false
    const result = (await run?.(job, entry.attempts + 1)) ?? { next: 'sleep' }
    if (result.next !== 'sleep') entry.attempts += 1
    if (result.next === 'sleep' && entry.isWoken) return sleepUntil(entry, clock())
    const step = schedule.after(job, result, entry.attempts, clock())
    if (typeof step === 'object' && 'runAt' in step) return sleepUntil(entry, step.runAt)
    entries.delete(job.request)
    if (step !== 'end') failures.add({ ...job, failedAt: clock(), attempts: entry.attempts, reason: step.park })
  }

  return {
    start(given) {
      if (run !== undefined) throw new TypeError('express-ciba: a delivery queue serves one engine; make another one')
      run = given
    },
    async add(job) {
      if (!entries.has(job.request)) sleepUntil(entryOf(job), job.expiresAt)
    },
    async wake(job) {
      const entry = entryOf(job)
      entry.isWoken = true
      if (entry.state === 'asleep') takeTurn(entry)
    },
    failed: async () => failures.newestFirst(),
    async replay(request) {
      const failure = failures.take(request, clock())
      if (failure === undefined) return false
      const { failedAt, attempts, reason, ...job } = failure
      const entry = entryOf(job)
      if (entry.state === 'asleep') takeTurn(entry)
      return true
    },
    async close() {
      isClosed = true
      for (const { timer } of entries.values()) clearTimeout(timer)
      await turns.finished()
    },
  }
}

/** Runs tasks: so many at a time for each client, the others in the order they came. */
function createTurns(concurrency: number) {
  const clients = new Map<string, { running: number; readonly waiting: (() => Promise<void>)[] }>()
  const underWay = new Set<Promise<void>>()

  function take(clientId: string, task: () => Promise<void>): void {
    const client = clients.get(clientId) ?? { running: 0, waiting: [] }
    clients.set(clientId, client)
    if (client.running >= concurrency) {
      client.waiting.push(task)
      return
    }
    client.running += 1
    const turn = task().finally(() => {
      underWay.delete(turn)
      client.running -= 1
      const next = client.waiting.shift()
      if (next !== undefined) take(clientId, next)
      else if (client.running === 0) clients.delete(clientId)
    })
    underWay.add(turn)
  }

  return { take, finished: async () => void (await Promise.all(underWay)) }
}

/** The last deliveries that were given up, by request. */
function createFailures() {
  const failures = new Map<string, FailedDelivery>()
  return {
    add(failure: FailedDelivery): void {
      failures.set(failure.request, failure)
      const [oldest] = failures.keys()
      if (failures.size > maxFailures && oldest !== undefined) failures.delete(oldest)
    },
    newestFirst: (): readonly FailedDelivery[] => [...failures.values()].reverse(),
    /** Takes a failure out, to be tried again. `undefined`: there is none, or its request has expired. */
    take(request: string, now: number): FailedDelivery | undefined {
      const failure = failures.get(request)
      if (failure === undefined || failure.expiresAt <= now) return undefined
      failures.delete(request)
      return failure
    },
  }
}
