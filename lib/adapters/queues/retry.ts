import type { DeliveryJob, DeliveryResult } from '../../contracts/contracts.ts'

/** When a queue tries again. */
export interface RetryOptions {
  /** Milliseconds before the second try; each further wait is twice as long. Defaults to 1000. */
  readonly firstRetryMs?: number
  /** Milliseconds that no wait exceeds, unless the receiver asked for more. Defaults to 60000. */
  readonly longestRetryMs?: number
}

/** What a queue does after a run. */
export type Step = { readonly runAt: number } | 'end' | { readonly park: string }

/** Clocks differ and stores have outages: the run that ends a request may be repeated for this long. */
const lateMs = 60_000

/**
 * The rule of every queue: retries wait exponentially longer with jitter, and the last run of a job is at `expiresAt`.
 * @param recheckMs How long a sleeping job may sleep before it looks for itself whether the user has answered.
 */
export function createSchedule({ firstRetryMs = 1000, longestRetryMs = 60_000 }: RetryOptions, recheckMs: number) {
  const asleep = (job: DeliveryJob, now: number): number => Math.min(now + recheckMs, job.expiresAt)

  function after(job: DeliveryJob, result: DeliveryResult, attempt: number, now: number): Step {
    const over = now >= job.expiresAt
    const tooLate = now >= job.expiresAt + lateMs
    switch (result.next) {
      case 'end':
        return 'end'
      case 'park':
        return { park: result.reason }
      case 'sleep':
        if (tooLate) return 'end'
        return { runAt: over ? now + firstRetryMs : asleep(job, now) }
      case 'retry': {
        if (tooLate) return { park: 'expired' }
        const wait = Math.max(result.afterMs ?? 0, backoff(attempt))
        return { runAt: over ? now + Math.min(wait, longestRetryMs) : Math.min(now + wait, job.expiresAt) }
      }
    }
  }

  function backoff(attempt: number): number {
    const wait = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt - 1, 30))
    return wait / 2 + Math.random() * (wait / 2)
  }

  return { asleep, after }
}
