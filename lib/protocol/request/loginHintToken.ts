import type { JSONWebKeySet, JWTPayload } from 'jose'
import * as errors from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { createRemoteJWKSet } from 'jose/jwks/remote'
import { jwtVerify } from 'jose/jwt/verify'
import type { Awaitable, ClientMetadata, Hint, JwkSet } from '../../contracts/contracts.ts'
import { asymmetricAlgs } from '../../core/crypto/jws.ts'
import { BackchannelError } from '../../core/errors.ts'

/**
 * Verifies a `login_hint_token` and says whom it names. `undefined`: nobody.
 * Throw `BackchannelError('expired_login_hint_token', …)` or `('invalid_request', …)` for a token that is no good.
 */
export type LoginHintTokenVerifier = (token: string, client: ClientMetadata) => Awaitable<Hint | undefined>

export interface LoginHintTokensOptions {
  /** Who may sign hints: their keys, or the https URL of their JWK Set, by `iss`. */
  readonly issuers: Readonly<Record<string, JwkSet | string>>
  /** What `aud` has to be: usually our issuer. */
  readonly audience: string
  /** Reads the hint from verified claims. Defaults to `email`, `phone_number`, or `sub` as a user id. */
  readonly hint?: (claims: Readonly<Record<string, unknown>>) => Hint | undefined
}

/** What jose says of a key set that could not be had, or is none: an outage, and nothing that is wrong with the token. */
const keysMissing = [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code]

/** A verifier for `login_hint_token`s that are JWTs signed by issuers you trust. */
export function loginHintTokens({ issuers, audience, hint = hintIn }: LoginHintTokensOptions): LoginHintTokenVerifier {
  const keys = new Map(
    Object.entries(issuers).map(([issuer, source]) => [
      issuer,
      typeof source === 'string'
        ? createRemoteJWKSet(new URL(source))
        : createLocalJWKSet(source as unknown as JSONWebKeySet),
    ]),
  )

  return async (token) => {
    const issuer = issuerIn(token)
    const set = issuer === undefined ? undefined : keys.get(issuer)
    if (issuer === undefined || set === undefined)
      throw invalid('login_hint_token is not from an issuer that is trusted here')
    try {
      const { payload } = await jwtVerify(token, set, {
        issuer,
        audience,
        algorithms: [...asymmetricAlgs],
        requiredClaims: ['exp'],
      })
      return withClaims(hint(payload), payload)
    } catch (thrown) {
      if (thrown instanceof errors.JWTExpired) {
        throw new BackchannelError('expired_login_hint_token', 'login_hint_token has expired')
      }
      if (!(thrown instanceof errors.JOSEError) || keysMissing.includes(thrown.code)) throw thrown
      throw invalid('login_hint_token is not valid', thrown)
    }
  }
}

function hintIn(claims: JWTPayload): Hint | undefined {
  const { email, phone_number, sub } = claims
  if (typeof email === 'string') return { type: 'email', value: email }
  if (typeof phone_number === 'string') return { type: 'phone', value: phone_number }
  return typeof sub === 'string' ? { type: 'user_id', value: sub } : undefined
}

function withClaims(hint: Hint | undefined, claims: JWTPayload): Hint | undefined {
  return hint === undefined ? undefined : { ...hint, claims }
}

function issuerIn(token: string): string | undefined {
  try {
    const { iss } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}

function invalid(description: string, cause?: unknown): BackchannelError {
  return new BackchannelError('invalid_request', description, { cause })
}
