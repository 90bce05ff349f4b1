import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import { keyOf, type LimiterFactory, type Pair, usedUp } from './limiter.ts'

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

  return {
    block: (pair: Pair): Promise<void> => guard('limits', async () => void (await blocks.block(keyOf(pair), seconds))),
    unblock: (pair: Pair): Promise<boolean> => guard('limits', () => blocks.delete(keyOf(pair))),
    /** Is this client kept from asking this user? Says so in an event when it is. */
    async isBlocked(pair: Pair): Promise<boolean> {
      const blocked = (await guard('limits', () => usedUp(blocks, keyOf(pair)))) !== undefined
      if (blocked) emit({ type: 'limit.hit', limit: 'notMe', ...pair })
      return blocked
    },
  }
}
