import type { KeyObject } from 'node:crypto'
import { isSignedByNow, readJws } from '../../core/crypto/jws.ts'
import type { RefreshTokens } from './refreshToken.ts'

/** The claims of an access token of ours (RFC 9068). */
export interface AccessTokenClaims {
  readonly jti: string
  readonly sub: string
  readonly client_id: string
  /** Epoch seconds. */
  readonly exp: number
  readonly [claim: string]: unknown
}

/** A token of ours that somebody shows. */
export type Presented =
  | { readonly kind: 'refresh_token'; readonly family: string }
  | { readonly kind: 'access_token'; readonly claims: AccessTokenClaims }

export interface PresentedParts {
  readonly issuer: string
  readonly refreshTokens: Pick<RefreshTokens, 'familyOf'>
  /** Our keys, retired ones included. */
  verifiers(alg: string, kid: string | undefined): readonly KeyObject[]
}

/** The `jti` that our access tokens have: the host may sign others with the same key. */
const ourJti = /^[\w-]{16}\.[\w-]{22}$/

/** Reads a token that somebody shows, expired or not; `undefined` when we did not make it. */
export function createReadPresented({ issuer, refreshTokens, verifiers }: PresentedParts) {
  return (token: string): Presented | undefined => {
    const family = refreshTokens.familyOf(token)
    if (family !== undefined) return { kind: 'refresh_token', family }
    const jws = readJws(token)
    if (jws?.typ !== 'at+jwt' || jws.claims.iss !== issuer || !ourJti.test(String(jws.claims.jti))) return undefined
    // whose the call is has to be known before its body is let go
    if (!isSignedByNow(jws, verifiers(jws.alg, jws.kid))) return undefined
    return { kind: 'access_token', claims: jws.claims as AccessTokenClaims }
  }
}
