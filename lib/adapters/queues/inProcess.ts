import type { DeliveryJob, DeliveryQueue, DeliveryRun, FailedDelivery } from '../../contracts/contracts.ts'
import { createHeap } from './heap.ts'
import { createSchedule, type RetryOptions } from './retry.ts'

export interface InProcessQueueOptions extends RetryOptions {
  /** Calls to one client's endpoint at a time, so that a dead endpoint holds up nobody else. Defaults to 4. */
  readonly concurrencyPerClient?: number
}

interface Entry {
  readonly job: DeliveryJob
  state: 'asleep' | 'waiting' | 'running'
  attempts: number
  /** Epoch milliseconds of the next run; a place in the heap with another time is out of date. */
  runAt: number
  /** Woken while running: a run that found nothing to do has to look again. */
  woken: boolean
}

const failuresKept = 1000
/** The longest wait that a timer of Node can hold. */
const longestTimer = 2 ** 31 - 1

/**
 * The default queue: in the memory of this process. What it holds is lost with the process; ping clients then learn
 * the outcome by polling, push clients not at all. Use `bullmqQueue` where that matters, or where several machines serve.
 */
export function inProcessQueue(options: InProcessQueueOptions = {}): DeliveryQueue {
  const { concurrencyPerClient = 4 } = options
  const schedule = createSchedule(options, Number.POSITIVE_INFINITY)
  const entries = new Map<string, Entry>()
  const failures = new Map<string, FailedDelivery>()
  const clients = new Map<string, { running: number; readonly waiting: Entry[] }>()
  const due = createHeap<{ readonly at: number; readonly entry: Entry }>()
  const underWay = new Set<Promise<void>>()
  let run: DeliveryRun | undefined
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let timerAt = Number.POSITIVE_INFINITY

  function entryOf(job: DeliveryJob): Entry {
    const known = entries.get(job.request)
    if (known !== undefined) return known
    const entry: Entry = { job, state: 'asleep', attempts: 0, runAt: job.expiresAt, woken: false }
    entries.set(job.request, entry)
    return entry
  }

  function sleepUntil(entry: Entry, at: number): void {
    entry.state = 'asleep'
    entry.runAt = at
    due.add({ at, entry })
    arm()
  }

  /** One timer, for whatever is due first. */
  function arm(): void {
    const first = due.first()
    if (closed || first === undefined || first.at >= timerAt) return
    clearTimeout(timer)
    timerAt = first.at
    timer = setTimeout(runDue, Math.min(Math.max(0, first.at - Date.now()), longestTimer)).unref()
  }

  function runDue(): void {
    timerAt = Number.POSITIVE_INFINITY
    for (let first = due.first(); first !== undefined && first.at <= Date.now(); first = due.first()) {
      due.take()
      if (first.entry.state === 'asleep' && first.entry.runAt === first.at) takeTurn(first.entry)
    }
    arm()
  }

  function takeTurn(entry: Entry): void {
    if (closed) return
    const { clientId } = entry.job
    const client = clients.get(clientId) ?? { running: 0, waiting: [] }
    clients.set(clientId, client)
    if (client.running >= concurrencyPerClient) {
      entry.state = 'waiting'
      client.waiting.push(entry)
      return
    }
    client.running += 1
    const turn = runOnce(entry).finally(() => {
      underWay.delete(turn)
      client.running -= 1
      const next = client.waiting.shift()
      if (next !== undefined) takeTurn(next)
      else if (client.running === 0) clients.delete(clientId)
    })
    underWay.add(turn)
  }

  async function runOnce(entry: Entry): Promise<void> {
    const { job } = entry
    entry.state = 'running'
    entry.woken = false
    const result = (await run?.(job, entry.attempts + 1)) ?? { next: 'sleep' }
    if (result.next !== 'sleep') entry.attempts += 1
    if (result.next === 'sleep' && entry.woken) return sleepUntil(entry, Date.now())
    const step = schedule.after(job, result, entry.attempts, Date.now())
    if (typeof step === 'object' && 'runAt' in step) return sleepUntil(entry, step.runAt)
    entries.delete(job.request)
    if (step !== 'end') keepFailure({ ...job, failedAt: Date.now(), attempts: entry.attempts, reason: step.park })
  }

  function keepFailure(failure: FailedDelivery): void {
    failures.set(failure.request, failure)
    const [oldest] = failures.keys()
    if (failures.size > failuresKept && oldest !== undefined) failures.delete(oldest)
  }

  return {
    start(given) {
      if (run !== undefined) throw new TypeError('express-ciba: a delivery queue serves one engine; make another one')
      run = given
    },
    async add(job) {
      sleepUntil(entryOf(job), job.expiresAt)
    },
    async wake(job) {
      const entry = entryOf(job)
      entry.woken = true
      if (entry.state === 'asleep') takeTurn(entry)
    },
    async failed() {
      return [...failures.values()].reverse()
    },
    async replay(request) {
      const failure = failures.get(request)
      if (failure === undefined || failure.expiresAt <= Date.now()) return false
      failures.delete(request)
      const { failedAt, attempts, reason, ...job } = failure
      takeTurn(entryOf(job))
      return true
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await Promise.all(underWay)
    },
  }
}
