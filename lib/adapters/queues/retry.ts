import type { DeliveryJob, DeliveryResult } from '../../contracts/queue.ts'

/** When a queue tries again. */
export interface RetryOptions {
  /** Seconds before the second try; each further wait is twice as long. Defaults to 1. */
  readonly firstRetrySeconds?: number
  /** Seconds that no wait exceeds, unless the receiver asked for more. Defaults to 60. */
  readonly maxRetrySeconds?: number
}

/** What a queue does with a job after a run: run it again then (epoch milliseconds), end it, or keep it as failed. */
export type NextStep = { readonly runAt: number } | 'end' | { readonly park: string }

/** Clocks differ and stores have outages: the last run of a job may be repeated for this long. */
const lastRunGraceMs = 60_000

/**
 * The rule of every queue: each wait is twice as long as the one before, with jitter, and the last run of a job is at
 * `expiresAt`.
 * @param recheckMs How long a sleeping job may sleep before it looks for itself whether the user has answered.
 */
export function createSchedule({ firstRetrySeconds = 1, maxRetrySeconds = 60 }: RetryOptions, recheckMs: number) {
  const firstRetryMs = firstRetrySeconds * 1000
  const maxRetryMs = maxRetrySeconds * 1000

  /** When a job that waits for the user's answer runs by itself. */
  const asleep = (job: DeliveryJob, now: number): number => Math.min(now + recheckMs, job.expiresAt)

  function after(job: DeliveryJob, result: DeliveryResult, attempt: number, now: number): NextStep {
    const isOver = now >= job.expiresAt
    const isTooLate = now >= job.expiresAt + lastRunGraceMs
    switch (result.next) {
      case 'end':
        return 'end'
      case 'park':
        return { park: result.reason }
      case 'sleep':
        if (isTooLate) return 'end'
        return { runAt: isOver ? now + firstRetryMs : asleep(job, now) }
      case 'retry': {
        if (isTooLate) return { park: 'expired' }
        const wait = Math.max(result.afterMs ?? 0, backoffMs(attempt))
        return { runAt: isOver ? now + Math.min(wait, maxRetryMs) : Math.min(now + wait, job.expiresAt) }
      }
    }
  }

  /** Between half the wait and all of it, so that jobs which failed together are not tried together again. */
  function backoffMs(attempt: number): number {
    const wait = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(attempt - 1, 30))
    return wait / 2 + Math.random() * (wait / 2)
  }

  return { asleep, after }
}
