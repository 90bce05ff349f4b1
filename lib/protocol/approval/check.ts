import type { Answer, RequestRecord, TokenOverrides } from '../../contracts/request.ts'
import type { AskContext } from '../../core/context.ts'
import { aad } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { isExpired } from '../../core/request.ts'
import { requireNarrower } from '../authorization/narrow.ts'
import { matchesRequestedSub } from '../authorization/subject.ts'
import type { ApproveDecision, Decision, RefuseDecision } from './decision.ts'
import { insufficientLogin, isRecent, reachesAcr } from './login.ts'

/**
 * Checks a decision against its request, and says what will be stored. Every door asks the same questions here: is the
 * request open, is it this user's, may they act, is their login enough, is no more granted than was asked? Changes
 * nothing.
 *
 * @param now Epoch milliseconds of the decision.
 * @param mayName The decision says who the user is: the request does not know it yet.
 * @throws BackchannelError `expired_token` 410, `invalid_request` 409 (not issued), `access_denied` (wrong or inactive
 * user), `insufficient_user_authentication` 401 (the login is too old), `invalid_scope`, `invalid_target`,
 * `invalid_authorization_details` (wider than asked), `server_error` (the time of the login has to be known).
 */
export async function checkDecision(
  ctx: AskContext,
  record: RequestRecord,
  decision: Decision,
  now: number,
  mayName: boolean,
): Promise<Answer> {
  // an answer that stands may be repeated after the end
  if (record.answer === undefined && isExpired(record, now)) throw expired()
  if (record.status === 'received') {
    throw new BackchannelError('invalid_request', 'The request has not been issued', { status: 409 })
  }
  if (decision.result !== 'approved') return checkRefusal(ctx, record, decision, now, mayName)
  return checkApproval(ctx, record, decision, now, mayName)
}

/** The request is past its time. */
export function expired(): BackchannelError {
  return new BackchannelError('expired_token', 'The request has expired', { status: 410 })
}

function checkRefusal(
  ctx: AskContext,
  record: RequestRecord,
  { by, ...refusal }: RefuseDecision,
  now: number,
  mayName: boolean,
): Answer {
  if (by !== undefined && !mayName) requireUser(ctx, record, by)
  return omitUndefined({ ...refusal, at: now })
}

async function checkApproval(
  ctx: AskContext,
  record: RequestRecord,
  { accessToken, tokens, ...said }: ApproveDecision,
  now: number,
  mayName: boolean,
): Promise<Answer> {
  if (!mayName || !(await isRequestedSub(ctx, record, said.sub))) requireUser(ctx, record, said.sub)
  if (!(await ctx.users.isActive(said.sub))) {
    throw new BackchannelError('access_denied', 'The user may not sign in any more')
  }
  if (record.details.requireAuthTime && said.authTime === undefined) throw loginTimeUnknown(ctx, record)
  // an answer that stands may be repeated when the login has become too old for a new one
  if (record.answer === undefined && !isRecent(ctx, said, record, now)) throw insufficientLogin(ctx, record)
  requireNarrower(ctx, said, record.details)
  if (!reachesAcr(record.details, said.acr)) return { result: 'failed', reason: 'acr', at: now }
  return omitUndefined({
    ...said,
    scope: said.scope ?? record.details.scope,
    tokens: overridesOf(ctx, record, tokens, accessToken),
    at: now,
  })
}

/** Is this the user whose `sub` the request demands, if it demands one (OpenID Connect Core 5.5.1)? */
async function isRequestedSub(ctx: AskContext, { clientId, details }: RequestRecord, sub: string): Promise<boolean> {
  const client = await ctx.clients.find(clientId)
  return client !== undefined && matchesRequestedSub(ctx, client, details, sub)
}

function requireUser(ctx: AskContext, record: RequestRecord, sub: string): void {
  if (sub === record.sub) return
  ctx.emit({ type: 'user.mismatch', request: record.id, clientId: record.clientId, sub })
  throw new BackchannelError('access_denied', 'This request is for somebody else')
}

function loginTimeUnknown(ctx: AskContext, { clientId }: RequestRecord): BackchannelError {
  const cause = new TypeError(`client "${clientId}" has require_auth_time: the login has to come with its authTime`)
  ctx.emit({ type: 'fault', cause })
  return new BackchannelError('server_error', 'The time of the login is not known', { cause })
}

/** The host's own access token has effect in push mode alone. */
function overridesOf(
  ctx: AskContext,
  { id, deliveryMode }: RequestRecord,
  tokens: TokenOverrides | undefined,
  accessToken: string | undefined,
): TokenOverrides | undefined {
  if (accessToken === undefined || deliveryMode !== 'push') return tokens
  return { ...tokens, sealedAccessToken: ctx.vault.seal(accessToken, aad('accessToken', id)) }
}
