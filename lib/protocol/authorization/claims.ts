import { z } from 'zod'
import type { Grant, ScopeClaims } from '../../contracts/tokens.ts'
import type { Context } from '../../core/context.ts'
import { invalidRequest } from '../../core/errors.ts'
import { isObject, jsonIn } from '../../core/json.ts'

/** The `claims` member of a request (OpenID Connect Core 5.5), checked. */
export type RequestedClaims = Readonly<Record<string, unknown>>

// Names that only this package sets: neither the claims of a user nor the overrides of an approval may have them.

/** Claims of ID tokens. */
export const idTokenClaims: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'azp', 'nonce', 'auth_time', 'acr', 'amr', 'cnf'],
  ...['at_hash', 'c_hash', 's_hash'],
  ...['urn:openid:params:jwt:claim:auth_req_id', 'urn:openid:params:jwt:claim:rt_hash'],
])

/** Claims of JWT access tokens. */
export const accessTokenClaims: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'auth_time', 'acr', 'amr', 'cnf'],
  'authorization_details',
])

/** Header members of ID tokens (RFC 7515 4.1). An ID token brings no keys (OpenID Connect Core 2). */
export const idTokenHeader: ReadonlySet<string> = new Set([
  ...['alg', 'kid', 'typ', 'cty', 'crit', 'b64', 'enc', 'zip'],
  ...['jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256'],
])

/** Members of token responses. */
export const tokenResponse: ReadonlySet<string> = new Set([
  ...['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'id_token', 'auth_req_id'],
  ...['authorization_details', 'grant_id', 'error', 'error_description', 'error_uri', '__proto__'],
])

/** The claims that the standard scope values ask for (OpenID Connect Core 5.4). */
export const standardScopeClaims: ScopeClaims = {
  profile: [
    ...['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
    ...['website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
}

const requestedClaim = z
  .looseObject({ essential: z.boolean('must be true or false').optional(), values: z.array(z.unknown()).optional() })
  .nullable()
const schema = z.looseObject({
  id_token: z.record(z.string(), requestedClaim).optional(),
  userinfo: z.record(z.string(), requestedClaim).optional(),
})

/**
 * Reads `claims`: JSON text from a form, an object from a signed request.
 * @throws BackchannelError `invalid_request`
 */
export function readClaims(value: unknown): RequestedClaims | undefined {
  if (value === undefined) return undefined
  const result = schema.safeParse(jsonIn(value, (what) => invalidRequest(`claims ${what}`)))
  if (result.success) return result.data
  const member = result.error.issues[0]?.path.slice(0, 2).join('.')
  throw invalidRequest(
    member ? `claims: ${member} is not as OpenID Connect Core 5.5 has it` : 'claims must be a JSON object',
  )
}

/** Names of the claims that were requested one by one, for the ID token. */
export function idTokenClaimNames(claims: RequestedClaims | undefined): readonly string[] {
  return isObject(claims?.id_token) ? Object.keys(claims.id_token) : []
}

/** Values that a claim of the ID token may have, or `undefined` when any will do. */
export function requestedValues(claims: RequestedClaims | undefined, name: string): readonly unknown[] | undefined {
  const { value, values } = requested(claims, name)
  if (value !== undefined) return [value]
  return Array.isArray(values) ? values : undefined
}

/** The classes that `acr` may have; values that are not text are left out. */
export function requestedAcrs(claims: RequestedClaims | undefined): readonly string[] | undefined {
  return requestedValues(claims, 'acr')?.filter((value) => typeof value === 'string')
}

/** Is the claim essential? For `acr` that means: the login has failed when it cannot be met (5.5.1.1). */
export function isEssential(claims: RequestedClaims | undefined, name: string): boolean {
  return requested(claims, name).essential === true
}

/** How one claim was requested (OpenID Connect Core 5.5.1); `{}` for a plain `null`. */
function requested(claims: RequestedClaims | undefined, name: string): Readonly<Record<string, unknown>> {
  const members = claims?.id_token
  const member = isObject(members) && Object.hasOwn(members, name) ? members[name] : undefined
  return isObject(member) ? member : {}
}

/** Names of the claims that scope values ask for. */
export function claimsOfScope(ctx: Context, scope: readonly string[]): readonly string[] {
  const { scopeClaims } = ctx.settings.tokens
  return scope.flatMap((each) => (Object.hasOwn(scopeClaims, each) ? scopeClaims[each] : undefined) ?? [])
}

/**
 * The user's claims for an ID token: what scope and `claims` ask for, and of that what the user agreed to.
 * @throws BackchannelError `temporarily_unavailable` when the host's claims are out of reach.
 */
export async function userClaims(ctx: Context, grant: Grant): Promise<Readonly<Record<string, unknown>>> {
  const names = namesFor(ctx, grant)
  if (!ctx.users.hasClaims || names.size === 0) return {}
  const known = await ctx.users.claims(grant.subject, grant.scope, [...names])
  // a host may hand over its whole record: nothing is passed on that was not asked for
  return Object.fromEntries(Object.entries(known).filter(([name, value]) => names.has(name) && value != null))
}

function namesFor(ctx: Context, { scope, claims, overrides: { consentedClaims } }: Grant): ReadonlySet<string> {
  const asked = [...claimsOfScope(ctx, scope), ...idTokenClaimNames(claims)]
  const isAgreed = (name: string) => consentedClaims === undefined || consentedClaims.includes(name)
  return new Set(asked.filter((name) => !idTokenClaims.has(name) && isAgreed(name)))
}
