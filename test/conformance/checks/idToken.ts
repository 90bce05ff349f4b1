import { createHash } from 'node:crypto'
import { compactDecrypt, compactVerify, decodeProtectedHeader, importJWK, type JWK, type JWTPayload } from 'jose'
import { type AsyncCheck, type Check, found } from './catalogue.ts'
import { brief, isObject, isText, type Members } from './values.ts'

const minute = 60
const year = 366 * 86_400

/** What an ID token is measured against. */
export interface Background {
  readonly issuer: string
  readonly jwks: readonly JWK[]
  readonly clientId: string
  /** Private keys of the client, for an encrypted ID token. */
  readonly clientKeys: readonly JWK[]
  /** Epoch seconds. */
  readonly now: number
  /** The members that came with it in the token response. */
  readonly response: Members
  readonly authReqId?: string | undefined
  readonly acrValue?: string | undefined
}

/** The ID token of a token response (OpenID Connect Core 3.1.3.7, CIBA 10.1.1). */
export async function* idToken(background: Background): AsyncCheck {
  const { response, clientKeys } = background
  if (!isText(response.id_token)) return yield found('K5 id_token', `id_token is ${brief(response.id_token)}`)
  let jws: string
  try {
    jws = response.id_token.split('.').length === 5 ? await decrypted(response.id_token, clientKeys) : response.id_token
  } catch (error) {
    return yield found('K11 encryption', String(error))
  }
  yield* signature(jws, background.jwks)
  const claims = claimsOf(jws)
  if (claims === undefined) return yield found('K5 id_token', 'the payload is not a JSON object')
  yield* claimChecks(claims, background)
  yield* hashChecks(claims, background, algOf(jws))
}

/** The claims of a JWS, unverified; `undefined` when there are none. */
export function claimsOf(jws: unknown): JWTPayload | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(String(jws).split('.')[1] ?? '', 'base64url').toString())
    return isObject(claims) ? claims : undefined
  } catch {
    return undefined
  }
}

async function decrypted(jwe: string, keys: readonly JWK[]): Promise<string> {
  const { alg = '', kid } = decodeProtectedHeader(jwe)
  if (alg === 'RSA1_5' || /^(dir|A\d+(GCM)?KW|PBES2)/.test(alg)) throw new Error(`encrypted with ${alg}`)
  if (kid === undefined) throw new Error('no kid in the JWE header')
  const key = keys.find((each) => each.kid === kid)
  if (key === undefined) throw new Error(`encrypted for an unknown key ${kid}`)
  const { plaintext } = await compactDecrypt(jwe, await importJWK(key, alg))
  return Buffer.from(plaintext).toString()
}

function algOf(jws: string): string {
  try {
    return decodeProtectedHeader(jws).alg ?? ''
  } catch {
    return ''
  }
}

async function* signature(jws: string, jwks: readonly JWK[]): AsyncCheck {
  let header: { alg?: string; kid?: string } = {}
  try {
    header = decodeProtectedHeader(jws)
  } catch {}
  const { alg, kid } = header
  if (!isText(kid)) yield found('K6 header', 'no kid in the header')
  if (alg !== 'PS256' && alg !== 'ES256') return yield found('K6 header', `alg is ${brief(alg)}`)
  const kty = alg === 'PS256' ? 'RSA' : 'EC'
  const fitting = jwks.filter(
    (key) => key.kid === kid && key.kty === kty && (key.alg ?? alg) === alg && (key.use ?? 'sig') === 'sig',
  )
  if (fitting.length > 1) yield found('K6 same key twice', `${fitting.length} keys with kid ${kid}`)
  const [key] = fitting
  if (key === undefined) return yield found('K6 signature', `no ${kty} key ${kid} for ${alg} in the JWK set`)
  try {
    await compactVerify(jws, await importJWK(key, alg))
  } catch (error) {
    yield found('K6 signature', String(error))
  }
}

function* claimChecks(claims: JWTPayload, { issuer, clientId, now, acrValue }: Background): Check {
  const { iss, aud, exp, iat, auth_time, sub, acr } = claims
  if (iss !== issuer) yield found('K7 iss', `iss is ${brief(iss)}`)
  if (![aud].flat().includes(clientId)) yield found('K7 aud', `aud is ${brief(aud)}`)
  if (typeof exp !== 'number' || exp < now - 5 * minute || exp > now + 50 * year)
    yield found('K7 exp', `exp is ${brief(exp)}`)
  if (typeof iat !== 'number' || Math.abs(iat - now) > 5 * minute) yield found('K7 iat', `iat is ${brief(iat)}`)
  if (auth_time !== undefined) {
    const sane = typeof auth_time === 'number' && auth_time > now - year && auth_time <= now + 5 * minute
    if (!sane) yield found('K7 auth_time', `auth_time is ${brief(auth_time)}`)
  }
  if (typeof sub !== 'string' || !/^[\x20-\x7E]{1,255}$/.test(sub)) yield found('K7 sub', `sub is ${brief(sub)}`)
  if (acr !== undefined && !isText(acr)) yield found('K7 acr', `acr is ${brief(acr)}`)
  if (acrValue !== undefined && acr !== acrValue) yield found('K12 acr', `asked for ${acrValue}, acr is ${brief(acr)}`)
  if (claims.nonce !== undefined) yield found('K8 nonce', 'a nonce that nobody sent')
  for (const [name, value] of Object.entries(claims)) {
    const type = profile[name]
    if (type !== undefined && !isOfType(value, type)) yield found('K7 profile', `${name} is ${brief(value)}`)
  }
}

function* hashChecks(claims: JWTPayload, { response, authReqId }: Background, alg: string): Check {
  const id = claims['urn:openid:params:jwt:claim:auth_req_id']
  if (id !== undefined && authReqId !== undefined && id !== authReqId)
    yield found('K9 auth_req_id', `the claim is ${brief(id)}`)
  const hashes = [
    ['urn:openid:params:jwt:claim:rt_hash', response.refresh_token],
    ['at_hash', response.access_token],
  ] as const
  for (const [name, token] of hashes) {
    if (claims[name] !== undefined && claims[name] !== halfHash(token, alg)) {
      yield found('K9 hash', `${name} is ${brief(claims[name])}`)
    }
  }
  for (const name of ['c_hash', 's_hash']) {
    if (claims[name] !== undefined) yield found('K10 hash', `${name} has nothing to stand for`)
  }
}

function halfHash(token: unknown, alg: string): string | undefined {
  if (typeof token !== 'string') return undefined
  const digest = createHash(`sha${alg.slice(2)}`)
    .update(token)
    .digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

type Type = 'string' | 'boolean' | 'address' | 'time'

const strings =
  'name given_name family_name middle_name nickname preferred_username profile picture website email gender birthdate zoneinfo locale phone_number'
/** The standard claims (OpenID Connect Core 5.1). */
const profile: Readonly<Record<string, Type>> = {
  ...Object.fromEntries(strings.split(' ').map((name) => [name, 'string' as const])),
  email_verified: 'boolean',
  phone_number_verified: 'boolean',
  address: 'address',
  updated_at: 'time',
}

function isOfType(value: unknown, type: Type): boolean {
  if (type === 'address') return isObject(value)
  if (type === 'time') return typeof value === 'number' && value > 0 && value < Date.now() / 1000 + year
  return type === 'boolean' ? typeof value === 'boolean' : typeof value === 'string'
}
