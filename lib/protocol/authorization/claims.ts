import { z } from 'zod'
import { BackchannelError } from '../../core/errors.ts'
import { isObject, parseJson } from '../../core/json.ts'

/** The `claims` member of a request (OpenID Connect Core 5.5), checked. */
export type RequestedClaims = Readonly<Record<string, unknown>>

const one = z
  .looseObject({ essential: z.boolean('must be true or false').optional(), values: z.array(z.unknown()).optional() })
  .nullable()
const schema = z.looseObject({
  id_token: z.record(z.string(), one).optional(),
  userinfo: z.record(z.string(), one).optional(),
})

/**
 * Reads `claims`: JSON text from a form, an object from a signed request.
 * @throws BackchannelError `invalid_request`
 */
export function readClaims(value: unknown): RequestedClaims | undefined {
  if (value === undefined) return undefined
  const result = schema.safeParse(typeof value === 'string' ? parse(value) : value)
  if (result.success) return result.data
  const where = result.error.issues[0]?.path.slice(0, 2).join('.')
  throw invalid(where ? `claims: ${where} is not as OpenID Connect Core 5.5 has it` : 'claims must be a JSON object')
}

function parse(text: string): unknown {
  try {
    return parseJson(text)
  } catch (thrown) {
    throw invalid(`claims ${(thrown as Error).message}`)
  }
}

function invalid(description: string): BackchannelError {
  return new BackchannelError('invalid_request', description)
}

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

/** The classes that `acr` may have. What is no text names none. */
export function wantedAcrs(claims: RequestedClaims | undefined): readonly string[] | undefined {
  return wantedValues(claims, 'acr')?.filter((value) => typeof value === 'string')
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
