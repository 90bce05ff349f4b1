import type { Call } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import { isClientId } from '../client/credentials.ts'
import { type Limiter, type LimiterFactory, take, usedUp } from './limiter.ts'

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
 * elsewhere; where the address is not known there is none. Callers that have not failed in this process cost no look-up.
 */
export function createAttempts({ most, limiter, guard, emit }: AttemptsParts) {
  const failures: Limiter | undefined =
    most > 0 ? limiter({ keyPrefix: 'ciba-failedAuthentications', points: most, duration: windowSeconds }) : undefined
  const failed = new Set<string>()
  function keyOf(clientId: string, call: Call): string | undefined {
    const address = isClientId(clientId) ? call.address?.() : undefined
    return address === undefined ? undefined : JSON.stringify([clientId, address])
  }

  return {
    /** Before credentials are looked at. @throws BackchannelError `invalid_client` 429 */
    async refuseGuessing(clientId: string, call: Call): Promise<void> {
      if (failures === undefined || failed.size === 0) return
      const key = keyOf(clientId, call)
      if (key === undefined || !failed.has(key)) return
      const wait = await guard('limits', () => usedUp(failures, key))
      if (wait === undefined) return
      emit({ type: 'limit.hit', limit: 'failedAuthentications', clientId })
      throw new BackchannelError('invalid_client', 'Client authentication failed too often; try again later', {
        status: 429,
        headers: { 'Retry-After': String(Math.ceil(wait / 1000)) },
      })
    },

    async countFailure(clientId: string, call: Call): Promise<void> {
      const key = failures && keyOf(clientId, call)
      if (failures === undefined || key === undefined) return
      failed.delete(key)
      failed.add(key)
      await forgetOldest(failures)
      await guard('limits', () => take(failures, key)).catch(() => {}) // the guard has reported the outage
    },
  }

  /** Anybody may fail, under any number of names: what is counted has to have an end. */
  async function forgetOldest(failures: Limiter): Promise<void> {
    const [oldest] = failed
    if (failed.size <= mostCallers || oldest === undefined) return
    failed.delete(oldest)
    await guard('limits', () => failures.delete(oldest)).catch(() => {})
  }
}

export type Attempts = ReturnType<typeof createAttempts>
