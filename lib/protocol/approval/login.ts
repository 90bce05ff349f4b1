import type { LoginNeed, SessionUser } from '../../contracts/contracts.ts'
import { present } from '../../core/omitUndefined.ts'
import type { RequestDetails, RequestRecord } from '../../core/request.ts'
import { isEssential, wantedAcrs } from '../authorization/claims.ts'

export interface LoginRules {
  /** The login that decides has to be newer than the request. */
  readonly freshLogin: boolean
  readonly clock: () => number
}

/** What a login has to reach before its user may decide. */
export function needOf({ details }: RequestRecord, { freshLogin }: LoginRules): LoginNeed {
  const essential = isEssential(details.claims, 'acr')
  return present({
    acrValues: essential ? essentialAcrs(details) : details.acrValues,
    essential: essential ? (true as const) : undefined,
    maxAgeSeconds: details.maxAge,
    fresh: freshLogin ? (true as const) : undefined,
    locale: details.locale,
  })
}

/** Does the login reach all of that? `auth_time` has whole seconds. */
export function isEnough(user: SessionUser, record: RequestRecord, rules: LoginRules): boolean {
  const { receivedAt, details } = record
  const loggedInAt = (user.authTime ?? 0) * 1000
  if (rules.freshLogin && loggedInAt < receivedAt - 1000) return false
  if (details.maxAge !== undefined && loggedInAt + (details.maxAge + 1) * 1000 < rules.clock()) return false
  return reachesAcr(details, user.acr)
}

/** An essential `acr` that was not reached means that the login has failed (OpenID Connect Core 5.5.1.1). */
export function reachesAcr(details: Pick<RequestDetails, 'claims'>, acr: string | undefined): boolean {
  if (!isEssential(details.claims, 'acr')) return true
  return acr !== undefined && (essentialAcrs(details)?.includes(acr) ?? true)
}

function essentialAcrs({ claims }: Pick<RequestDetails, 'claims'>): readonly string[] | undefined {
  return wantedAcrs(claims)
}
