import { createRequire } from 'node:module'
import type { Job, Queue } from 'bullmq'
import type { DeliveryJob, DeliveryQueue, FailedDelivery } from '../../contracts/queue.ts'
import { withTimeout } from '../../core/guards/guard.ts'
import { checkOptionNames, type OptionNames } from '../optionNames.ts'
import { connectionOf, type DeliveryWorker, type JobData, startWorker, type WorkerOptions } from './bullmqWorker.ts'
import { createSchedule, type RetryOptions } from './retry.ts'

export type { RetryOptions } from './retry.ts'

/** What `bullmqQueue` takes. */
export interface BullmqQueueOptions extends RetryOptions {
  /**
   * Options of an ioredis connection (`{ host, port, … }`), or a connection that BullMQ takes. Closing one that you
   * pass is up to you, and it needs `maxRetriesPerRequest: null`.
   */
  readonly connection: object
  /** Start of every key in Redis. Defaults to BullMQ's own, `bull`. */
  readonly prefix?: string
  /**
   * Name of the queue. Defaults to `express-ciba`. Each issuer needs one of its own on a Redis: a job that the wrong
   * server takes is about a request that is not there, and ends undelivered.
   */
  readonly name?: string
  /** Deliveries under way at a time, in this process. Defaults to 64. */
  readonly concurrency?: number
  /** Of these, calls to one client's endpoint at a time. Defaults to 4. */
  readonly concurrencyPerClient?: number
  /** Seconds after which a sleeping job runs by itself, in case a crash lost the call that wakes it. Defaults to 15. */
  readonly recheckSeconds?: number
}

const names: OptionNames<BullmqQueueOptions> = {
  connection: true,
  prefix: true,
  name: true,
  concurrency: true,
  concurrencyPerClient: true,
  recheckSeconds: true,
  firstRetrySeconds: true,
  maxRetrySeconds: true,
}
/** Milliseconds that Redis may take for an answer that is waited for. */
const timeoutMs = 2000
/** How long failed deliveries are kept, in seconds, and how many. */
const keepFailed = { age: 7 * 24 * 3600, count: 1000 }
/** Seconds for which a finished job is kept, so that a call which comes late does not make it again. */
const keepFinished = { age: 60 }
/** How often, and after how many milliseconds each, a job is looked at that runs while it is woken. */
const wakeDelaysMs = [0, 50, 200, 1000, 3000]

/**
 * A queue in Redis, for several processes and for restarts: whatever was issued is delivered as long as one of them
 * runs. Needs the packages `bullmq` (5 or 6) and `ioredis`.
 * @throws Error when `bullmq` is not installed. TypeError without a `connection`, or when an option is unknown.
 * @example
 * ```ts
 * import { bullmqQueue } from 'express-ciba/queues/bullmq'
 *
 * const queue = bullmqQueue({ connection: { host: '127.0.0.1', port: 6379 } })
 * createBackchannelRouter({ issuer, clients, users, delivery: { queue } })
 * ```
 */
export function bullmqQueue(options: BullmqQueueOptions): DeliveryQueue {
  const workerOptions = workerOptionsOf(options)
  checkOptionNames('bullmqQueue', options, names)
  const schedule = createSchedule(options, (options.recheckSeconds ?? 15) * 1000)
  const bullmq = load()
  let onError: (cause: unknown) => void = () => {}
  let opened: Queue<JobData> | undefined
  let started: DeliveryWorker | undefined
  let isClosed = false

  /** The connection is made at the first use. */
  function queue(): Queue<JobData> {
    const { name } = workerOptions
    opened ??= new bullmq.Queue<JobData>(name, connectionOf(workerOptions)).on('error', (cause) => onError(cause))
    return opened
  }

  return {
    start(run, report) {
      if (started !== undefined) {
        throw new TypeError('express-ciba: a delivery queue serves one engine; make another one')
      }
      onError = report
      started = startWorker(bullmq, workerOptions, schedule, run)
      started.worker.on('error', (cause) => onError(cause))
    },

    add: async (job) => put(queue(), job, schedule.asleep(job, Date.now())),

    async wake(job) {
      await put(queue(), job, Date.now())
      promoteSoon(queue, job.request, () => isClosed).catch((cause) => isClosed || onError(cause))
    },

    async failed() {
      const jobs = await queue().getFailed(0, keepFailed.count - 1)
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
      isClosed = true
      if (opened === undefined && started === undefined) return
      if (await isReachable(queue())) {
        await started?.worker.close()
        await opened?.close()
      } else {
        // BullMQ would wait for Redis to come back; the runs under way have their own timeouts
        await Promise.allSettled([...(started?.underWay ?? []), started?.worker.close(true)])
        opened?.disconnect().catch(() => {})
      }
    },
  }
}

function workerOptionsOf(options: BullmqQueueOptions | undefined): WorkerOptions {
  const { connection, prefix, name = 'express-ciba', concurrency = 64, concurrencyPerClient = 4 } = options ?? {}
  if (typeof connection !== 'object' || connection === null) {
    throw new TypeError(
      'express-ciba: bullmqQueue needs a connection to Redis: ' +
        'bullmqQueue({ connection: { host: "127.0.0.1", port: 6379 } })',
    )
  }
  return { connection, prefix, name, concurrency, concurrencyPerClient }
}

/** BullMQ is an optional peer. It is loaded here, not at the first delivery, so that its absence shows at the start. */
function load(): typeof import('bullmq') {
  try {
    return createRequire(import.meta.url)('bullmq')
  } catch (cause) {
    throw new Error('express-ciba: bullmqQueue needs the packages "bullmq" and "ioredis"; npm install bullmq ioredis', {
      cause,
    })
  }
}

/** The id of the request is the id of the job: adding a job that is there already changes nothing. */
async function put(queue: Queue<JobData>, job: DeliveryJob, runAt: number): Promise<void> {
  const { request, clientId, expiresAt } = job
  const added = queue.add(
    'delivery',
    { request, clientId, expiresAt, attempts: 0 },
    {
      jobId: request,
      delay: Math.max(0, runAt - Date.now()),
      // a run that Redis interrupted is repeated by BullMQ; a delivery that was given up is not
      attempts: 1_000_000,
      backoff: { type: 'fixed', delay: 1000 },
      removeOnComplete: keepFinished,
      removeOnFail: keepFailed,
    },
  )
  await withTimeout(() => added, timeoutMs, queueName)
}

/** Runs a sleeping job now. A job that is running at this moment may have missed the answer, and is looked at again. */
async function promoteSoon(queue: () => Queue<JobData>, request: string, isClosed: () => boolean): Promise<void> {
  for (const delayMs of wakeDelaysMs) {
    await new Promise((resolve) => setTimeout(resolve, delayMs).unref())
    if (isClosed()) return
    const job = await queue().getJob(request)
    const state = await job?.getState()
    if (state === 'delayed' && job?.data.attempts === 0) return job.promote().catch(() => {})
    if (state !== 'active') return
  }
}

function isReachable(queue: Queue<JobData>): Promise<boolean> {
  return withTimeout(() => queue.count(), timeoutMs, queueName).then(
    () => true,
    () => false,
  )
}

const queueName = 'the queue'

function failureOf({ data, finishedOn, failedReason }: Job<JobData>): FailedDelivery {
  return { ...data, failedAt: finishedOn ?? 0, reason: failedReason }
}
