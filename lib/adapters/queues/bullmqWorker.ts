import type { Job, Worker } from 'bullmq'
import type { DeliveryJob, DeliveryRun } from '../../contracts/queue.ts'
import { omitUndefined } from '../../core/json.ts'
import type { createSchedule, NextStep } from './retry.ts'

/** What a job keeps in Redis. */
export interface JobData extends DeliveryJob {
  readonly attempts: number
}

/** How to reach the queue in Redis, and how it is worked off. */
export interface WorkerOptions {
  readonly name: string
  readonly connection: object
  readonly prefix: string | undefined
  readonly concurrency: number
  readonly concurrencyPerClient: number
}

/** A worker, and the runs that are under way. */
export interface DeliveryWorker {
  readonly worker: Worker<JobData>
  readonly underWay: ReadonlySet<Promise<unknown>>
}

/** A job whose process ended is taken over after 20 seconds at the latest. */
const takeOver = { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 1000 }

/** What BullMQ's constructors need to reach Redis. */
export function connectionOf({ connection, prefix }: Pick<WorkerOptions, 'connection' | 'prefix'>) {
  return omitUndefined({ connection, prefix })
}

/** Starts to run jobs in this process. */
export function startWorker(
  bullmq: typeof import('bullmq'),
  options: WorkerOptions,
  schedule: ReturnType<typeof createSchedule>,
  run: DeliveryRun,
): DeliveryWorker {
  const busyWith = createCount()
  const underWay = new Set<Promise<unknown>>()

  async function runOnce(job: Job<JobData>): Promise<NextStep> {
    const { attempts, ...delivery } = job.data
    const { clientId } = delivery
    if (busyWith.get(clientId) >= options.concurrencyPerClient) {
      return { runAt: Date.now() + 500 + Math.random() * 500 }
    }
    busyWith.add(clientId, 1)
    const running = run(delivery, attempts + 1)
    underWay.add(running)
    try {
      const result = await running
      const tried = result.next === 'sleep' ? attempts : attempts + 1
      if (tried !== attempts) await job.updateData({ ...delivery, attempts: tried })
      return schedule.after(delivery, result, tried, Date.now())
    } finally {
      underWay.delete(running)
      busyWith.add(clientId, -1)
    }
  }

  async function processJob(job: Job<JobData>, token?: string): Promise<void> {
    const step = await runOnce(job)
    if (step === 'end') return
    if ('park' in step) throw new bullmq.UnrecoverableError(step.park)
    await job.moveToDelayed(step.runAt, token)
    throw new bullmq.DelayedError()
  }

  const { name, concurrency } = options
  const worker = new bullmq.Worker<JobData>(name, processJob, { ...connectionOf(options), ...takeOver, concurrency })
  return { worker, underWay }
}

/** A number for each key; 0 is not kept. */
function createCount() {
  const counts = new Map<string, number>()
  return {
    get: (key: string): number => counts.get(key) ?? 0,
    add(key: string, change: number): void {
      const count = (counts.get(key) ?? 0) + change
      if (count === 0) counts.delete(key)
      else counts.set(key, count)
    },
  }
}
