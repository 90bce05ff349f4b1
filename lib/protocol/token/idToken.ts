import { createHash } from 'node:crypto'
import type { Grant } from '../../contracts/tokens.ts'
import type { Context } from '../../core/context.ts'
import { signJwt } from '../../core/crypto/signature.ts'
import type { SigningKey } from '../../core/crypto/signingKeys.ts'

/** What an ID token is made with, and the tokens whose hashes it holds. */
interface IdTokenInput {
  readonly key: SigningKey
  /** Claims of the user. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Epoch seconds. */
  readonly iat: number
  readonly seconds: number
  readonly accessToken: string
  readonly refreshToken: string | undefined
}

/** Makes an ID token (OpenID Connect Core 2). Never with `nonce` or `azp`; one that is pushed names the request too. */
export function makeIdToken(ctx: Context, grant: Grant, input: IdTokenInput): Promise<string> {
  const { key, claims, iat, seconds, accessToken, refreshToken } = input
  const { clientId, overrides, authReqId } = grant
  const claimSet = {
    ...claims,
    ...overrides.claims,
    iss: ctx.settings.issuer,
    sub: overrides.idTokenSub ?? grant.sub,
    aud: overrides.idTokenAudType === 'array' ? [clientId] : clientId,
    iat,
    exp: iat + seconds,
    auth_time: grant.authTime,
    acr: grant.acr,
    amr: grant.amr,
    at_hash: leftHalfHash(accessToken, key.alg),
    ...(authReqId !== undefined && pushClaims(authReqId, refreshToken, key.alg)),
  }
  return signJwt(key, 'JWT', claimSet, overrides.idTokenHeader)
}

/** CIBA Core 10.3.1. */
function pushClaims(authReqId: string, refreshToken: string | undefined, alg: string): Record<string, unknown> {
  return {
    'urn:openid:params:jwt:claim:auth_req_id': authReqId,
    'urn:openid:params:jwt:claim:rt_hash': refreshToken && leftHalfHash(refreshToken, alg),
  }
}

/**
 * `at_hash` and `rt_hash` (OpenID Connect Core 3.1.3.6, CIBA Core 10.3.1): the left half of the hash that belongs to
 * the ID token's algorithm. Ed25519 goes with SHA-512.
 */
export function leftHalfHash(value: string, alg: string): string {
  const bits = alg === 'EdDSA' || alg === 'Ed25519' ? '512' : alg.slice(2)
  const digest = createHash(`sha${bits}`).update(value, 'ascii').digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
