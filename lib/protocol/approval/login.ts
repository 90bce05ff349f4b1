import type { RequestDetails, RequestRecord } from '../../contracts/request.ts'
import type { LoginNeed, SessionUser } from '../../contracts/session.ts'
import type { AskContext } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { isEssential, requestedAcrs } from '../authorization/claims.ts'

/** What a login has to reach before its user may decide. */
export function loginNeed(ctx: AskContext, { details }: RequestRecord): LoginNeed {
  const essential = isEssential(details.claims, 'acr')
  return omitUndefined({
    acrValues: essential ? requestedAcrs(details.claims) : details.acrValues,
    essential: essential ? (true as const) : undefined,
    maxAgeSeconds: details.maxAge,
    fresh: ctx.settings.approval.freshLogin ? (true as const) : undefined,
    locale: details.locale,
  })
}

/** Does the login of this user reach all of that now? */
export function isEnough(ctx: AskContext, user: SessionUser, record: RequestRecord): boolean {
  return isRecent(ctx, user, record, ctx.clock()) && reachesAcr(record.details, user.acr)
}

/**
 * Is the login recent enough at `now`, in epoch milliseconds? One whose time is not known is too old, where it matters.
 * `auth_time` has whole seconds, so a second more is granted.
 */
export function isRecent(
  ctx: AskContext,
  { authTime = 0 }: Pick<SessionUser, 'authTime'>,
  { receivedAt, details }: RequestRecord,
  now: number,
): boolean {
  const loggedInAt = authTime * 1000
  if (ctx.settings.approval.freshLogin && loggedInAt < receivedAt - 1000) return false
  return details.maxAge === undefined || loggedInAt + (details.maxAge + 1) * 1000 >= now
}

/** An essential `acr` that was not reached means that the login has failed (OpenID Connect Core 5.5.1.1). */
export function reachesAcr({ claims }: Pick<RequestDetails, 'claims'>, acr: string | undefined): boolean {
  if (!isEssential(claims, 'acr')) return true
  return acr !== undefined && (requestedAcrs(claims)?.includes(acr) ?? true)
}

/** The login does not reach what the request demands. The request stays open. */
export function insufficientLogin(ctx: AskContext, record: RequestRecord): BackchannelError {
  return new BackchannelError('insufficient_user_authentication', 'This request demands another login', {
    headers: { 'WWW-Authenticate': challengeFor(ctx, record) },
  })
}

/** Tells a screen of the host's own what to ask of the user (RFC 9470 3): the value of `WWW-Authenticate`. */
function challengeFor(ctx: AskContext, record: RequestRecord): string {
  const { acrValues, essential, maxAgeSeconds, fresh } = loginNeed(ctx, record)
  const maxAge = fresh ? 0 : maxAgeSeconds
  const challenge = ['Bearer error="insufficient_user_authentication"']
  if (essential && acrValues !== undefined) challenge.push(`acr_values="${acrValues.join(' ')}"`)
  if (maxAge !== undefined) challenge.push(`max_age=${maxAge}`)
  return challenge.join(', ')
}
