import type { Client, Hint, User, Users } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Guard } from '../../core/guard.ts'
import { readLoginHint } from './hint.ts'
import type { LoginHintTokenVerifier } from './loginHintToken.ts'
import type { Ask } from './parameters.ts'

/** Control characters and halves of characters name nobody; some databases choke on them, which would look like an outage. */
const unspeakable = /[\p{Cc}\p{Cs}]/u

export interface FindUserParts {
  readonly users: Users
  readonly issuer: string
  readonly hideUnknownUsers: boolean
  readonly guard: Guard
  /** Did the user say that this client is not to ask them? */
  isBlocked(pair: { readonly clientId: string; readonly sub: string }): Promise<boolean>
  /** Throws when the client has named too many users who do not exist. */
  refuseGuessing(client: Client): Promise<void>
  countFailedHint(client: Client): Promise<void>
  /** Is it nobody else than the user whose `sub` the request demands (OpenID Connect Core 5.5.1)? */
  isWanted(user: User, ask: Ask, client: Client): boolean
  readIdTokenHint(text: string, client: Client): Promise<Hint>
  readonly loginHintToken?: LoginHintTokenVerifier | undefined
}

/**
 * Finds the user a request is for. `undefined` only when unknown users are hidden: the request is then accepted,
 * reaches nobody and expires.
 * @throws BackchannelError `unknown_user_id`, or `access_denied` for an account that may not act or blocks this client.
 */
export function createFindUser(parts: FindUserParts) {
  const { users, guard, hideUnknownUsers, loginHintToken } = parts

  return async (ask: Ask, client: Client): Promise<User | undefined> => {
    await parts.refuseGuessing(client)
    const user = await userOf(ask, client)
    if (user === undefined) {
      await parts.countFailedHint(client)
      if (hideUnknownUsers) return undefined
      throw new BackchannelError('unknown_user_id', 'No user matches the hint')
    }
    if (users.isActive !== undefined && !(await guard('users', () => users.isActive?.(user.sub)))) {
      if (hideUnknownUsers) return undefined
      throw new BackchannelError('access_denied', 'The user cannot be asked')
    }
    if (await parts.isBlocked({ clientId: client.id, sub: user.sub })) {
      if (hideUnknownUsers) return undefined
      throw new BackchannelError('access_denied', 'The user does not want to be asked by this client')
    }
    return user
  }

  async function userOf(ask: Ask, client: Client): Promise<User | undefined> {
    const hint = await hintOf(ask, client)
    if (hint === undefined || unspeakable.test(hint.value)) return undefined
    const user = (await guard('users', () => users.find(hint, client.metadata))) ?? undefined
    if (user !== undefined && (typeof user.sub !== 'string' || user.sub === ''))
      throw new TypeError('express-ciba: option "users.find" returned a user whose sub is not a text')
    return user !== undefined && parts.isWanted(user, ask, client) ? user : undefined
  }

  async function hintOf({ hint, context }: Ask, client: Client): Promise<Hint | undefined> {
    if (hint.name === 'login_hint') return readLoginHint(hint.value, context?.loginHintType, parts.issuer)
    if (hint.name === 'id_token_hint') return parts.readIdTokenHint(hint.value, client)
    if (loginHintToken === undefined) {
      throw new BackchannelError('invalid_request', 'login_hint_token is not supported; use another hint')
    }
    return guard('users', () => loginHintToken(hint.value, client.metadata))
  }
}
