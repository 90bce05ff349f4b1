import type { Client, Hint, User, Users } from '../contracts.ts'
import { BackchannelError } from '../errors.ts'
import type { Guard } from '../outage.ts'
import { readLoginHint } from './hint.ts'
import type { Ask } from './parse.ts'

/**
 * Finds the user a request is for. `undefined` only when unknown users are hidden: the request is then accepted,
 * reaches nobody and expires.
 * @throws BackchannelError `unknown_user_id`, or `access_denied` for an account that may not act.
 */
export function createFindUser(options: { users: Users; issuer: string; hideUnknownUsers: boolean; guard: Guard }) {
  const { users, issuer, hideUnknownUsers, guard } = options

  return async (ask: Ask, client: Client): Promise<User | undefined> => {
    const hint = readHint(ask, issuer)
    const user = await guard('users', () => users.find(hint, client.metadata))
    if (user === undefined || user === null) {
      if (hideUnknownUsers) return undefined
      throw new BackchannelError('unknown_user_id', 'No user matches the hint')
    }
    if (users.isActive !== undefined && !(await guard('users', () => users.isActive?.(user.sub)))) {
      if (hideUnknownUsers) return undefined
      throw new BackchannelError('access_denied', 'The user cannot be asked')
    }
    return user
  }
}

function readHint(ask: Ask, issuer: string): Hint {
  if (ask.hint.name === 'login_hint') return readLoginHint(ask.hint.value, ask.context?.loginHintType, issuer)
  throw new BackchannelError('invalid_request', `${ask.hint.name} is not supported; use login_hint`)
}
