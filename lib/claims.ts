import { isObject } from './json.ts'

/** The `claims` member of a request (OpenID Connect Core 5.5), checked. */
export type RequestedClaims = Readonly<Record<string, unknown>>

/** How one claim was asked for (OpenID Connect Core 5.5.1); `{}` for a plain `null`. */
interface Wanted {
  readonly essential?: unknown
  readonly value?: unknown
  readonly values?: unknown
}

/** Names of the claims that were asked for one by one, for the ID token. */
export function idTokenClaimNames(claims: RequestedClaims | undefined): readonly string[] {
  return isObject(claims?.id_token) ? Object.keys(claims.id_token) : []
}

/** Values that a claim of the ID token may have, or `undefined` when any will do. */
export function wantedValues(claims: RequestedClaims | undefined, name: string): readonly unknown[] | undefined {
  const { value, values } = wanted(claims, name)
  if (value !== undefined) return [value]
  return Array.isArray(values) ? values : undefined
}

/** Is the claim essential? For `acr` that means: the login has failed when it cannot be met (5.5.1.1). */
export function isEssential(claims: RequestedClaims | undefined, name: string): boolean {
  return wanted(claims, name).essential === true
}

function wanted(claims: RequestedClaims | undefined, name: string): Wanted {
  const members = claims?.id_token
  const wanted = isObject(members) && Object.hasOwn(members, name) ? members[name] : undefined
  return isObject(wanted) ? wanted : {}
}
