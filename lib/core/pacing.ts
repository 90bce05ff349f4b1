// slow_down: the one rule (CIBA Core 11). The stores' atomic versions, `adapters/stores/redis/scripts.ts` (Lua) and
// `adapters/stores/postgres/statements.ts` (SQL), follow it and are tested against it.
import type { RequestRecord } from '../contracts/request.ts'

/** Seconds that each early poll adds to the interval (CIBA Core 11: at least 5). */
export const slowDownSeconds = 5

/** The interval stops growing here, and so do the writes that a flood of polls can cause. */
export const maxIntervalSeconds = 60

/** One poll may travel longer than the next, and clocks of clients differ: one that is so much too early is in time. */
export const pollToleranceMs = 250

/** The longest that a poll may be held open (CIBA Core 10.1). */
export const maxHoldSeconds = 30

/** Does this poll come before its time? The one rule every store follows in `poll`. */
export function isEarly(record: Pick<RequestRecord, 'lastPollAt' | 'intervalSeconds'>, now: number): boolean {
  return record.lastPollAt !== undefined && now - record.lastPollAt < record.intervalSeconds * 1000 - pollToleranceMs
}

/**
 * What a poll of a pending record writes, or `undefined` when it writes nothing (the interval is at its longest).
 * `holdMs`: the poll may stay open for so long, and any other is early until then. It is stamped ahead for that.
 */
export function paceOf(
  record: Pick<RequestRecord, 'lastPollAt' | 'intervalSeconds' | 'slowDowns'>,
  now: number,
  holdMs: number,
): (Pick<RequestRecord, 'intervalSeconds' | 'slowDowns'> & { lastPollAt: number; early: boolean }) | undefined {
  const { lastPollAt = now, intervalSeconds, slowDowns } = record
  if (!isEarly(record, now)) {
    const aheadMs = Math.max(0, holdMs - intervalSeconds * 1000)
    return { early: false, lastPollAt: now + aheadMs, intervalSeconds, slowDowns }
  }
  if (intervalSeconds >= maxIntervalSeconds) return undefined
  const aheadMs = lastPollAt - now
  // further ahead than any poll is held: the clock was set back
  const isHeld = aheadMs > 0 && aheadMs <= maxHoldSeconds * 1000
  return {
    early: true,
    // the longer interval does not make the hold longer
    lastPollAt: isHeld ? Math.max(now, now + aheadMs - slowDownSeconds * 1000) : now,
    intervalSeconds: Math.min(maxIntervalSeconds, intervalSeconds + slowDownSeconds),
    slowDowns: slowDowns + 1,
  }
}
