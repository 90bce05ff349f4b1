/** What a delivery job has to know. The rest is read from the store when the job runs. */
export interface DeliveryJob {
  /** Public id of the request. */
  readonly request: string
  readonly clientId: string
  /** Epoch milliseconds: the request's own end, after which nothing is sent any more. */
  readonly expiresAt: number
}

/** What became of one run of a job. */
export type DeliveryResult =
  /** Delivered, or there is nothing to deliver: the job ends. */
  | { readonly next: 'end' }
  /** The user has not answered: run again when woken, and at `expiresAt`. Does not count as a try. */
  | { readonly next: 'sleep' }
  /** A failure worth another try, not before `afterMs` milliseconds. */
  | { readonly next: 'retry'; readonly afterMs?: number }
  /** Given up: the queue keeps the job for `failed` and `replay`. */
  | { readonly next: 'park'; readonly reason: string }

/** One run of a job; `attempt` counts the tries from 1. Never rejects. */
export type DeliveryRun = (job: DeliveryJob, attempt: number) => Promise<DeliveryResult>

/** A delivery that was given up. */
export interface FailedDelivery extends DeliveryJob {
  /** Epoch milliseconds. */
  readonly failedAt: number
  /** How often it was tried. */
  readonly attempts: number
  /** Such as `status_401`, `forbidden`, `expired`. */
  readonly reason: string
}

/**
 * Carries pings and pushes. One job exists per issued ping or push request, from the moment it is issued:
 * `wake` runs it when the user has answered, and it runs by itself at `expiresAt`. A job never runs twice at a time.
 * @example
 * ```ts
 * const queue: DeliveryQueue = {
 *   // `settle`: remove the job, put it off, or keep it as failed, as the result of its run says
 *   start: (run, onError) => jobs.work(async (job, attempt) => jobs.settle(job, await run(job, attempt)), onError),
 *   add: (job) => jobs.insert({ id: job.request, job, runAt: job.expiresAt }),
 *   wake: (job) => jobs.runNow(job.request),
 *   failed: () => jobs.failed({ newestFirst: true, limit: 1000 }),
 *   replay: (request) => jobs.retry(request),
 *   close: () => jobs.stop(),
 * }
 * ```
 */
export interface DeliveryQueue {
  /**
   * Called once by the engine; jobs left by an earlier process start to run.
   * `onError` is told when the queue's own backend fails.
   */
  start(run: DeliveryRun, onError: (cause: unknown) => void): void
  /** Adds the job of an issued request, asleep until woken or expired. Rejects when it cannot be kept. */
  add(job: DeliveryJob): Promise<void>
  /** Runs the job now, also when `add` was called in another process; retries follow by the queue's own schedule. */
  wake(job: DeliveryJob): Promise<void>
  /** What was given up, the newest first; at most the last thousand. */
  failed(): Promise<readonly FailedDelivery[]>
  /** Tries a failed delivery again. `false` when there is none, or the request is over. */
  replay(request: string): Promise<boolean>
  /** Stops taking jobs; resolves when those under way are finished or handed back. */
  close(): Promise<void>
}

/** A ping or push that never arrived. */
export interface Undelivered {
  /** Public id of the request. */
  readonly request: string
  readonly clientId: string
  readonly mode: 'ping' | 'push'
  /** Such as `status_401`, `forbidden`, `expired`. */
  readonly reason: string
}
