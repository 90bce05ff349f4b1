import type { Client, User, Users } from '../../contracts/contracts.ts'
import { hashOf } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import { type LimiterFactory, take, usedUp } from '../limits/limiter.ts'
import type { Ask } from './parameters.ts'

export interface UserCodeParts {
  readonly users: Users
  readonly guard: Guard
  readonly emit: Emit
  readonly limiter: LimiterFactory
  /** Does this server take user codes at all? */
  readonly supported: boolean
  /** Wrong codes per user, and per client and user, before both have to wait. */
  readonly attempts: number
  /** Seconds that they wait. */
  readonly lockSeconds: number
}

/**
 * Checks the `user_code` (CIBA Core 7.1.2), before anything is sent. Wrong codes are counted per user and per client
 * and user; while one of the two is locked, the right code is refused as well.
 */
export function createCheckUserCode(parts: UserCodeParts) {
  const { users, guard, emit } = parts
  const limiter = parts.limiter({ keyPrefix: 'ciba-code', points: parts.attempts, duration: parts.lockSeconds })

  return async ({ userCode, hint: { value: hint } }: Ask, user: User | undefined, client: Client): Promise<void> => {
    if (!parts.supported || client.metadata.backchannel_user_code_parameter !== true) return
    if (user !== undefined && !(await needsCode(user, client))) return
    if (userCode === undefined) throw new BackchannelError('missing_user_code', 'user_code is missing')
    // where unknown users are hidden they are counted too, and every code is a wrong one
    const whom = user?.sub ?? `? ${hashOf(hint)}`
    const keys = [whom, `${client.id} ${whom}`]
    for (const key of keys) await refuseLocked(key, client, user)
    if (user !== undefined && (await guard('users', () => users.checkUserCode?.(user, userCode)))) return
    await guard('limits', () => Promise.all(keys.map((key) => take(limiter, key))))
    throw new BackchannelError('invalid_user_code', 'user_code is not right')
  }

  async function needsCode(user: User, client: Client): Promise<boolean> {
    return (
      users.needsUserCode === undefined ||
      (await guard('users', () => users.needsUserCode?.(user, client.metadata))) === true
    )
  }

  async function refuseLocked(key: string, client: Client, user: User | undefined): Promise<void> {
    if ((await guard('limits', () => usedUp(limiter, key))) === undefined) return
    emit({
      type: 'limit.hit',
      limit: 'userCode',
      clientId: client.id,
      ...(user === undefined ? {} : { sub: user.sub }),
    })
    throw new BackchannelError('access_denied', 'Too many wrong codes; try again later')
  }
}
