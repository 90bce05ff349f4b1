import { RateLimiterMemory } from 'rate-limiter-flexible'

/** The part of a rate-limiter-flexible limiter that is used. */
export interface Limiter {
  get(key: string): Promise<Count | null>
  /** Rejects with a count when there are no points left, with an `Error` when it cannot count. */
  consume(key: string, points?: number): Promise<Count>
  block(key: string, seconds: number): Promise<unknown>
  delete(key: string): Promise<boolean>
}

export interface Count {
  readonly consumedPoints: number
  readonly remainingPoints: number
  readonly msBeforeNext: number
}

/** Makes a counter: `(options) => new RateLimiterRedis({ storeClient: redis, ...options })`. */
export type LimiterFactory = (options: {
  readonly keyPrefix: string
  readonly points: number
  /** Seconds. */
  readonly duration: number
}) => Limiter

/** Timers of Node hold 24 days at most, and what counts in memory has a timer. */
export const longestSeconds = 2_073_600

/** Counts in the memory of this process. */
export const memoryLimiter: LimiterFactory = (options) => new RateLimiterMemory(options)

/** Takes a point. `undefined`: there was one. Otherwise the milliseconds until there is one again. */
export async function take(limiter: Limiter, key: string): Promise<number | undefined> {
  try {
    await limiter.consume(key)
    return undefined
  } catch (thrown) {
    if (thrown instanceof Error) throw thrown
    return (thrown as Count).msBeforeNext
  }
}

/** Are the points of a key used up? The milliseconds until they are not. */
export async function usedUp(limiter: Limiter, key: string): Promise<number | undefined> {
  const count = await limiter.get(key)
  return count === null || count.remainingPoints > 0 ? undefined : Math.max(1, count.msBeforeNext)
}

/** A client, and a user whom it asks. */
export interface Pair {
  readonly clientId: string
  readonly sub: string
}

/** One key for both, which no other two have. */
export function keyOf({ clientId, sub }: Pair): string {
  return `${clientId.length} ${clientId} ${sub}`
}
