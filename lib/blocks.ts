import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Emit } from './events.ts'
import type { Guard } from './outage.ts'

/** The part of a rate-limiter-flexible limiter that is used. */
export interface Limiter {
  get(key: string): Promise<{ readonly consumedPoints: number; readonly remainingPoints: number } | null>
  consume(key: string, points?: number): Promise<unknown>
  block(key: string, seconds: number): Promise<unknown>
  delete(key: string): Promise<boolean>
}

/** Makes a counter: `(options) => new RateLimiterRedis({ storeClient: redis, ...options })`. */
export type LimiterFactory = (options: {
  readonly keyPrefix: string
  readonly points: number
  /** Seconds. */
  readonly duration: number
}) => Limiter

/** Counts in the memory of this process. */
export const memoryLimiter: LimiterFactory = (options) => new RateLimiterMemory(options)

/** A client, and a user whom it may not ask. */
export interface Pair {
  readonly clientId: string
  readonly sub: string
}

export interface BlockParts {
  readonly limiter: LimiterFactory
  /** How long a block lasts. */
  readonly seconds: number
  readonly guard: Guard
  readonly emit: Emit
}

/** Which clients may not ask which users, because the user said "I did not start this". */
export function createBlocks({ limiter, seconds, guard, emit }: BlockParts) {
  const blocks = limiter({ keyPrefix: 'ciba-block', points: 1, duration: seconds })
  const keyOf = ({ clientId, sub }: Pair) => JSON.stringify([clientId, sub])

  return {
    block: (pair: Pair): Promise<void> => guard('limits', async () => void (await blocks.block(keyOf(pair), seconds))),
    unblock: (pair: Pair): Promise<boolean> => guard('limits', () => blocks.delete(keyOf(pair))),
    /** Is this client kept from asking this user? Says so in an event when it is. */
    async isBlocked(pair: Pair): Promise<boolean> {
      const state = await guard('limits', () => blocks.get(keyOf(pair)))
      const blocked = state !== null && state.remainingPoints <= 0
      if (blocked) emit({ type: 'limit.hit', limit: 'notMe', ...pair })
      return blocked
    },
  }
}
