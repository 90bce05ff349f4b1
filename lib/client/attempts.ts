import type { Call } from '../contracts.ts'
import { BackchannelError } from '../errors.ts'
import type { Emit } from '../events.ts'
import { type Limiter, type LimiterFactory, take, usedUp } from '../limiter.ts'
import type { Guard } from '../outage.ts'

export interface AttemptsParts {
  /** Failures of one client at one address before it has to wait; 0 for no limit. */
  readonly most: number
  readonly limiter: LimiterFactory
  readonly guard: Guard
  readonly emit: Emit
}

const windowSeconds = 600
/** Callers remembered at a time; the oldest gives way. */
const mostCallers = 10_000

/**
 * The budget of failed client authentications. It belongs to a client at an address, so that nobody can lock a client out from
 * elsewhere. Callers that have not failed in this process cost no look-up.
 */
export function createAttempts({ most, limiter, guard, emit }: AttemptsParts) {
  const failures: Limiter | undefined =
    most > 0 ? limiter({ keyPrefix: 'ciba-failedAuthentications', points: most, duration: windowSeconds }) : undefined
  const failed = new Set<string>()
  const keyOf = (clientId: string, { address }: Call) => JSON.stringify([clientId.slice(0, 255), address])

  return {
    /** Before credentials are looked at. @throws BackchannelError `invalid_client` 429 */
    async refuseGuessing(clientId: string, call: Call): Promise<void> {
      const key = keyOf(clientId, call)
      if (failures === undefined || !failed.has(key)) return
      const wait = await guard('limits', () => usedUp(failures, key))
      if (wait === undefined) return
      emit({ type: 'limit.hit', limit: 'failedAuthentications', clientId })
      throw new BackchannelError('invalid_client', 'Client authentication failed too often; try again later', {
        status: 429,
        headers: { 'Retry-After': String(Math.ceil(wait / 1000)) },
      })
    },

    async countFailure(clientId: string, call: Call): Promise<void> {
      if (failures === undefined) return
      const key = keyOf(clientId, call)
      failed.delete(key)
      failed.add(key)
      const [oldest] = failed
      if (failed.size > mostCallers && oldest !== undefined) failed.delete(oldest)
      await guard('limits', () => take(failures, key)).catch(() => {}) // the guard has reported the outage
    },
  }
}

export type Attempts = ReturnType<typeof createAttempts>
