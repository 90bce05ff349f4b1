import type { RequestDetails } from '../../contracts/request.ts'
import type { Hint, User } from '../../contracts/users.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext } from '../../core/context.ts'
import { hashOf } from '../../core/crypto/handles.ts'
import { BackchannelError } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { matchesRequestedSub } from '../authorization/subject.ts'
import { isBlocked } from '../limits/blocks.ts'
import { countFailedHint, unknownUser } from '../limits/prompts.ts'
import type { Asked } from './parse.ts'

/** Who is looked for. */
export interface UserQuery {
  readonly client: Client
  readonly details: RequestDetails
  /** `undefined`: it names no user. */
  readonly hint: Hint | undefined
}

/**
 * Finds the user a request is for. `undefined` only when unknown users are hidden: the request is then accepted,
 * reaches no user and expires.
 * @throws BackchannelError `unknown_user_id`, or `access_denied` for a user who may not act or does not want to be asked
 * by this client.
 */
export async function findUser(ctx: AskContext, { client, details, hint }: UserQuery): Promise<User | undefined> {
  const named =
    hint === undefined || unprintable.test(hint.value) ? undefined : await ctx.users.find(hint, client.metadata)
  // a request may demand the user with a certain `sub` (OpenID Connect Core 5.5.1)
  const user = named !== undefined && matchesRequestedSub(ctx, client, details, named.sub) ? named : undefined
  if (user === undefined) {
    await countFailedHint(ctx, client.id)
    return refuseUnlessHidden(ctx, 'unknown_user_id', 'No user matches the hint')
  }
  if (!(await ctx.users.isActive(user.sub))) return refuseUnlessHidden(ctx, 'access_denied', 'The user cannot be asked')
  if (await isBlocked(ctx, { clientId: client.id, sub: user.sub })) {
    return refuseUnlessHidden(ctx, 'access_denied', 'The user does not want to be asked by this client')
  }
  return user
}

/** Control characters and lone surrogates are in no user's name. Some databases fail on them, as in an outage. */
const unprintable = /[\p{Cc}\p{Cs}]/u

/** Where unknown users are hidden, a user who cannot be asked looks like one who can. */
function refuseUnlessHidden(
  { settings }: AskContext,
  code: 'unknown_user_id' | 'access_denied',
  description: string,
): undefined {
  if (!settings.requests.hideUnknownUsers) throw new BackchannelError(code, description)
  return undefined
}

/**
 * Checks the `user_code` (CIBA Core 7.1.2), before anything is sent. Wrong codes are counted per user and per client
 * and user; while one of the two is locked, the right code is refused as well.
 * @throws BackchannelError `missing_user_code`, `invalid_user_code`, `access_denied`
 */
export async function checkUserCode(
  ctx: AskContext,
  { userCode, hint }: Pick<Asked, 'userCode' | 'hint'>,
  user: User | undefined,
  client: Client,
): Promise<void> {
  if (!sendsUserCode(ctx, client)) return
  if (user !== undefined && !(await ctx.users.needsUserCode(user, client.metadata))) return
  if (userCode === undefined) throw new BackchannelError('missing_user_code', 'user_code is missing')
  // where unknown users are hidden they are counted too, and every code is a wrong one
  const name = user?.sub ?? unknownUser(hashOf(hint.value))
  const keys = [name, `${client.id} ${name}`]
  for (const key of keys) await refuseLocked(ctx, key, client, user)
  if (user !== undefined && (await ctx.users.checkUserCode(user, userCode))) return
  await Promise.all(keys.map((key) => ctx.budgets.count('userCodes', key)))
  throw new BackchannelError('invalid_user_code', 'user_code is not right')
}

/** Does this client send the codes of users (CIBA Core 7.1.2)? */
export function sendsUserCode({ settings }: AskContext, { metadata }: Client): boolean {
  return settings.requests.userCodes && metadata.backchannel_user_code_parameter === true
}

async function refuseLocked(ctx: AskContext, key: string, client: Client, user: User | undefined): Promise<void> {
  if ((await ctx.budgets.retryAfterMs('userCodes', key)) === undefined) return
  ctx.emit(omitUndefined({ type: 'limit.hit' as const, limit: 'userCode', clientId: client.id, sub: user?.sub }))
  throw new BackchannelError('access_denied', 'Too many wrong codes; try again later')
}
