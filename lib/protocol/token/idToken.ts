import { signJwt } from '../../core/crypto/sign.ts'
import type { SigningKey } from '../../core/crypto/signingKeys.ts'
import type { Grant } from './grant.ts'
import { leftHalfHash } from './hash.ts'

/** What an ID token is made with, and the tokens it vouches for. */
export interface IdTokenWith {
  readonly key: SigningKey
  /** The user's. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly iat: number
  readonly seconds: number
  readonly accessToken: string
  readonly refreshToken?: string | undefined
}

/** Makes ID tokens (OpenID Connect Core 2). Never with `nonce` or `azp`; those of pushed tokens name the request too. */
export function createIdToken({ issuer }: { readonly issuer: string }) {
  return (grant: Grant, { key, claims, iat, seconds, ...companions }: IdTokenWith): Promise<string> => {
    const { clientId, wishes, authReqId } = grant
    return signJwt(
      key,
      'JWT',
      {
        ...claims,
        ...wishes.claims,
        iss: issuer,
        sub: wishes.idTokenSub ?? grant.sub,
        aud: wishes.idTokenAudType === 'array' ? [clientId] : clientId,
        iat,
        exp: iat + seconds,
        auth_time: grant.authTime,
        acr: grant.acr,
        amr: grant.amr,
        at_hash: leftHalfHash(companions.accessToken, key.alg),
        ...(authReqId === undefined ? {} : pushClaims(authReqId, companions, key.alg)),
      },
      wishes.idTokenHeader,
    )
  }
}

/** CIBA Core 10.3.1. */
function pushClaims(authReqId: string, { refreshToken }: Pick<IdTokenWith, 'refreshToken'>, alg: string) {
  return {
    'urn:openid:params:jwt:claim:auth_req_id': authReqId,
    ...(refreshToken === undefined ? {} : { 'urn:openid:params:jwt:claim:rt_hash': leftHalfHash(refreshToken, alg) }),
  }
}
