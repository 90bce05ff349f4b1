import type { Context } from '../../core/context.ts'
import { hashOf } from '../../core/crypto/handles.ts'
import { isSignedBy, type Jws, readJws } from '../../core/crypto/jws.ts'
import { familyOf } from './refreshToken.ts'

/** The claims of an access token of ours (RFC 9068). */
export interface AccessTokenClaims {
  readonly jti: string
  readonly sub: string
  readonly client_id: string
  /** Epoch seconds. */
  readonly exp: number
  readonly [claim: string]: unknown
}

interface OwnRefreshToken {
  readonly kind: 'refresh_token'
  readonly family: string
  readonly hash: string
}

/** A token that looks like one of ours. The signature of an access token is still to be verified. */
export type PresentedToken = OwnRefreshToken | { readonly kind: 'access_token'; readonly jws: Jws }

/** A token of ours. */
export type OwnToken = OwnRefreshToken | { readonly kind: 'access_token'; readonly claims: AccessTokenClaims }

/** The `jti` that our access tokens have: the host may sign others with the same key. */
const jtiPattern = /^[\w-]{16}\.[\w-]{22}$/

/**
 * Recognises a token of ours, expired or not; `undefined`: we did not make it. Nothing is awaited: the body
 * of a call that is the host's has to be put back in the same turn. `verifyOwnToken` comes next.
 */
export function readOwnToken(ctx: Context, token: string): PresentedToken | undefined {
  const family = familyOf(ctx, token)
  if (family !== undefined) return { kind: 'refresh_token', family, hash: hashOf(token) }
  const jws = readJws(token)
  if (jws?.typ !== 'at+jwt' || jws.claims.iss !== ctx.settings.issuer) return undefined
  return jtiPattern.test(String(jws.claims.jti)) ? { kind: 'access_token', jws } : undefined
}

/** The token with its claims, once its signature is verified; `undefined`: we did not make it. It may be expired. */
export async function verifyOwnToken(ctx: Context, token: PresentedToken): Promise<OwnToken | undefined> {
  // the mark of a refresh token was verified when it was read
  if (token.kind === 'refresh_token') return token
  const { jws } = token
  const isOurs = await isSignedBy(jws, ctx.signingKeys.verifiers(jws.alg, jws.kid))
  return isOurs && isAccessTokenClaims(jws.claims) ? { kind: 'access_token', claims: jws.claims } : undefined
}

function isAccessTokenClaims(claims: Jws['claims']): claims is AccessTokenClaims {
  const { jti, sub, client_id, exp } = claims
  return [jti, sub, client_id].every((each) => typeof each === 'string') && typeof exp === 'number'
}
