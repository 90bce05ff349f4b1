import { createRequire } from 'node:module'
import type { Job, Queue, Worker } from 'bullmq'
import type { DeliveryJob, DeliveryQueue, DeliveryRun, FailedDelivery } from '../../contracts/contracts.ts'
import { createSchedule, type RetryOptions } from './retry.ts'

export interface BullmqQueueOptions extends RetryOptions {
  /**
   * Options of an ioredis connection (`{ host, port, … }`), or a connection that BullMQ takes. One that you pass stays
   * yours to close, and needs `maxRetriesPerRequest: null`.
   */
  readonly connection: object
  /** Start of every key in Redis. Defaults to BullMQ's own, `bull`. */
  readonly prefix?: string
  /**
   * Name of the queue. Defaults to `express-ciba`. Each issuer needs one of its own on a Redis: a job that the wrong server
   * takes is about a request that is not there, and ends undelivered.
   */
  readonly name?: string
  /** Deliveries under way at a time, in this process. Defaults to 64. */
  readonly concurrency?: number
  /** Of these, calls to one client's endpoint at a time. Defaults to 4. */
  readonly concurrencyPerClient?: number
  /** Seconds after which a job looks for itself whether a crash has swallowed its call. Defaults to 15. */
  readonly recheckSeconds?: number
}

interface Data extends DeliveryJob {
  readonly attempts: number
}

/** How long Redis may take for an answer that somebody waits for. */
const patienceMs = 2000
const failuresKept = { age: 7 * 24 * 3600, count: 1000 }
/** A finished job is remembered for a moment, so that a call which comes late does not make it anew. */
const finishedKept = { age: 60 }

/**
 * A queue in Redis, for several processes and for restarts: whatever was issued is delivered as long as one of them
 * runs. Needs the packages `bullmq` (5 or 6) and `ioredis`.
 * @throws Error when `bullmq` is not installed.
 */
export function bullmqQueue(options: BullmqQueueOptions): DeliveryQueue {
  const { connection, concurrency = 64, concurrencyPerClient = 4, recheckSeconds = 15 } = options
  const name = options.name ?? 'express-ciba'
  const schedule = createSchedule(options, recheckSeconds * 1000)
  const busyWith = new Map<string, number>()
  const underWay = new Set<Promise<unknown>>()
  const bullmq = load()
  let onError: (cause: unknown) => void = () => {}
  let opened: Queue<Data> | undefined
  let worker: Worker<Data> | undefined
  let closed = false

  function queue(): Queue<Data> {
    opened ??= new bullmq.Queue<Data>(name, settings()).on('error', (cause) => onError(cause))
    return opened
  }

  function settings() {
    return { connection, ...(options.prefix === undefined ? {} : { prefix: options.prefix }) }
  }

  function startWorker(run: DeliveryRun): Worker<Data> {
    const process = async (job: Job<Data>, token?: string): Promise<void> => {
      const step = await turn(run, job)
      if (step === 'end') return
      if ('park' in step) throw new bullmq.UnrecoverableError(step.park)
      await job.moveToDelayed(step.runAt, token)
      throw new bullmq.DelayedError()
    }
    // a job whose process died is taken over after 20 seconds at the latest
    const limits = { concurrency, lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 1000 }
    return new bullmq.Worker<Data>(name, process, { ...settings(), ...limits }).on('error', (cause) => onError(cause))
  }

  async function turn(run: DeliveryRun, job: Job<Data>): Promise<ReturnType<typeof schedule.after>> {
    const { attempts, ...what } = job.data
    const busy = busyWith.get(what.clientId) ?? 0
    if (busy >= concurrencyPerClient) return { runAt: Date.now() + 500 + Math.random() * 500 }
    busyWith.set(what.clientId, busy + 1)
    const trying = run(what, attempts + 1)
    underWay.add(trying)
    try {
      const result = await trying
      const tried = result.next === 'sleep' ? attempts : attempts + 1
      if (tried !== attempts) await job.updateData({ ...what, attempts: tried })
      return schedule.after(what, result, tried, Date.now())
    } finally {
      underWay.delete(trying)
      const left = (busyWith.get(what.clientId) ?? 1) - 1
      if (left === 0) busyWith.delete(what.clientId)
      else busyWith.set(what.clientId, left)
    }
  }

  /** Adding what is there already changes nothing: the request is the job's id. */
  async function put(job: DeliveryJob, runAt: number): Promise<void> {
    const { request, clientId, expiresAt } = job
    const added = queue().add(
      'delivery',
      { request, clientId, expiresAt, attempts: 0 },
      {
        jobId: request,
        delay: Math.max(0, runAt - Date.now()),
        // what BullMQ itself could not finish (Redis went away) is taken up again; a delivery given up is not
        attempts: 1_000_000,
        backoff: { type: 'fixed', delay: 1000 },
        removeOnComplete: finishedKept,
        removeOnFail: failuresKept,
      },
    )
    await within(patienceMs, added)
  }

  /** Promotes a sleeping job. One that is looking at the record this very moment may miss the answer: wait for it. */
  async function stir(request: string): Promise<void> {
    for (const pause of [0, 50, 200, 1000, 3000]) {
      await new Promise((resolve) => setTimeout(resolve, pause).unref())
      if (closed) return
      const job = await queue().getJob(request)
      const state = await job?.getState()
      if (state === 'delayed' && job?.data.attempts === 0) return job.promote().catch(() => {})
      if (state !== 'active') return
    }
  }

  async function answers(): Promise<boolean> {
    return within(patienceMs, queue().count()).then(
      () => true,
      () => false,
    )
  }

  return {
    start(run, report) {
      if (worker !== undefined)
        throw new TypeError('express-ciba: a delivery queue serves one engine; make another one')
      onError = report
      worker = startWorker(run)
    },

    add: (job) => put(job, schedule.asleep(job, Date.now())),

    async wake(job) {
      await put(job, Date.now())
      stir(job.request).catch((cause) => closed || onError(cause))
    },

    async failed() {
      const jobs = await queue().getFailed(0, failuresKept.count - 1)
      return jobs.map(failureOf)
    },

    async replay(request) {
      const job = await queue().getJob(request)
      if (job === undefined || job.data.expiresAt <= Date.now() || !(await job.isFailed())) return false
      await job.updateData({ ...job.data, attempts: 0 })
      await job.retry('failed')
      return true
    },

    async close() {
      closed = true
      if (opened === undefined && worker === undefined) return
      if (await answers()) {
        await worker?.close()
        await opened?.close()
      } else {
        // BullMQ would wait for Redis to come back; what is under way has its own end
        await Promise.allSettled([...underWay, worker?.close(true)])
        opened?.disconnect().catch(() => {})
      }
    },
  }
}

/** An optional peer: loaded for those who use it, and at once, so that its absence shows at the start. */
function load(): typeof import('bullmq') {
  try {
    return createRequire(import.meta.url)('bullmq')
  } catch (cause) {
    throw new Error('express-ciba: bullmqQueue needs the packages "bullmq" and "ioredis"; npm install bullmq ioredis', {
      cause,
    })
  }
}

function failureOf({ data, finishedOn, failedReason }: Job<Data>): FailedDelivery {
  return { ...data, failedAt: finishedOn ?? 0, reason: failedReason }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the queue did not answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
