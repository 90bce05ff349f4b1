import { z } from 'zod'
import type { Hint, LoginHintTokenVerifier, User, Users } from '../../contracts/users.ts'
import type { GuardedUsers } from '../context.ts'
import { isObject, omitUndefined } from '../json.ts'
import { checkShape, type Guard, optional, subShape, wrongResult } from './guard.ts'

const texts = ['name', 'email', 'phone_number', 'locale'] as const
const flags = ['email_verified', 'phone_number_verified'] as const
const text = z.string('must be a string').nullish()
/** Databases that have no type for true and false answer 1 and 0. */
const flag = z.union([z.boolean(), z.literal([0, 1])], 'must be true or false').nullish()

const userShape = z.object({
  sub: subShape,
  name: text,
  email: text,
  phone_number: text,
  locale: text,
  email_verified: flag,
  phone_number_verified: flag,
})

const hintShape = z.object({
  type: z.enum(['email', 'phone', 'user_id', 'sub', 'login_hint_token'], 'is not a type of hint'),
  value: z.string('must be a string'),
  claims: optional(z.record(z.string(), z.unknown(), 'must be an object')),
})

/** The host's users, guarded. Where a hook answers yes or no, every truthy value is a yes. */
export function guardUsers(
  users: Users,
  loginHintToken: LoginHintTokenVerifier | undefined,
  guard: Guard,
): GuardedUsers {
  const { isActive, claims, needsUserCode, checkUserCode } = users

  return {
    find: guard.wrap('users', 'users.find', (hint, client) => users.find({ hint, client }), readUser),
    isActive:
      isActive === undefined
        ? async () => true
        : guard.wrap('users', 'users.isActive', (sub) => isActive.call(users, { sub }), Boolean),
    claims:
      claims === undefined
        ? async () => ({})
        : guard.wrap(
            'users',
            'users.claims',
            (sub, scope, names) => claims.call(users, { sub, scope, names }),
            readClaims,
          ),
    hasClaims: claims !== undefined,
    needsUserCode:
      needsUserCode === undefined
        ? async () => true
        : guard.wrap(
            'users',
            'users.needsUserCode',
            (user, client) => needsUserCode.call(users, { user, client }),
            Boolean,
          ),
    checkUserCode:
      checkUserCode === undefined
        ? async () => false
        : guard.wrap(
            'users',
            'users.checkUserCode',
            (user, userCode) => checkUserCode.call(users, { user, userCode }),
            Boolean,
          ),
    readHintToken:
      loginHintToken &&
      guard.wrap('users', 'requests.loginHintToken', (token, client) => loginHintToken({ token, client }), readHint),
  }
}

function readClaims(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  throw wrongResult('users.claims', 'what is not an object')
}

/** The user as the host gave it, without known members that are empty. */
function readUser(value: unknown): User | undefined {
  if (value === undefined || value === null) return undefined
  checkShape(userShape, 'users.find', 'a user', value)
  const user = value as User
  const changes: Record<string, unknown> = {}
  for (const name of texts) if (user[name] === null || user[name] === '') changes[name] = undefined
  for (const name of flags) {
    const flag: unknown = user[name]
    if (flag !== undefined && typeof flag !== 'boolean') changes[name] = flag === null ? undefined : flag === 1
  }
  return Object.keys(changes).length === 0 ? user : withChanges(user, changes)
}

/** A copy of what may be frozen, or an instance of a class of the host's: its getters stay. */
function withChanges(user: User, changes: Readonly<Record<string, unknown>>): User {
  const members: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(user)
  for (const [name, value] of Object.entries(changes)) {
    members[name] = { value, enumerable: true, configurable: true, writable: true }
  }
  return Object.create(Object.getPrototypeOf(user), members)
}

/** A hint without a value names no user. */
function readHint(value: unknown): Hint | undefined {
  if (value === undefined || value === null) return undefined
  const hint = checkShape(hintShape, 'requests.loginHintToken', 'a hint', value)
  return hint.value === '' ? undefined : omitUndefined(hint)
}
