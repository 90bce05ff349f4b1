import { z } from 'zod'
import type { Session, SessionUser } from '../../contracts/session.ts'
import type { GuardedSession } from '../context.ts'
import { omitUndefined } from '../json.ts'
import { checkShape, type Guard, optional, subShape, wrongResult } from './guard.ts'

const userShape = z.object({
  sub: subShape,
  authTime: optional(z.number('must be epoch seconds').max(99_999_999_999, 'must be epoch seconds, not milliseconds')),
  acr: optional(z.string('must be a string')),
  amr: optional(z.array(z.string('must be a string'), 'must be an array of strings')),
})

/** The host's login, guarded. A user without a proper `sub` is an error: it would be taken for another one. */
export function guardSession(session: Session, guard: Guard): GuardedSession {
  const { verifyToken } = session

  return {
    current: guard.wrap(
      'session',
      'session.current',
      (req) => session.current({ req }),
      (user) => readUser('session.current', user),
    ),
    loginUrl(returnTo, need) {
      const url: unknown = guard.sync('session', 'session.loginUrl', () => session.loginUrl({ returnTo, need }))
      if (typeof url === 'string' && url !== '') return url
      throw wrongResult('session.loginUrl', 'what is not a URL')
    },
    verifyToken:
      verifyToken &&
      guard.wrap(
        'session',
        'session.verifyToken',
        (token) => verifyToken.call(session, { token }),
        (user) => readUser('session.verifyToken', user),
      ),
  }
}

function readUser(hook: string, value: unknown): SessionUser | undefined {
  if (value === undefined || value === null) return undefined
  return omitUndefined(checkShape(userShape, hook, 'a user', value))
}
