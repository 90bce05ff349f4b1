import type { JSONWebKeySet, JWTPayload } from 'jose'
import * as errors from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import { createRemoteJWKSet } from 'jose/jwks/remote'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import type { JwkSet } from '../../contracts/clients.ts'
import type { Hint, LoginHintTokenVerifier } from '../../contracts/users.ts'
import { asymmetricAlgs } from '../../core/crypto/jws.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'

/** Whose `login_hint_token`s are believed, and how they are read. */
export interface LoginHintTokensOptions {
  /** Who may sign hints: their keys, or the https URL of their JWK Set, by `iss`. */
  readonly issuers: Readonly<Record<string, JwkSet | string>>
  /** What `aud` has to be: usually our issuer. */
  readonly audience: string
  /** Reads the hint from verified claims. Defaults to `email`, `phone_number`, or `sub` as a user id. */
  readonly hint?: (claims: Readonly<Record<string, unknown>>) => Hint | undefined
}

/** What jose says when it could not get a key set, or got something else: an outage, and no fault of the token. */
const keysMissing = [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code]

/**
 * A verifier for the option `requests.loginHintToken`: takes JWTs with an `exp` that are signed by issuers you trust.
 * @throws BackchannelError `expired_login_hint_token`, and `invalid_request` for a token that is no good
 * @example
 * ```ts
 * const loginHintToken = loginHintTokens({
 *   issuers: { 'https://directory.example.com': 'https://directory.example.com/jwks' },
 *   audience: 'https://login.example.com',
 * })
 * ```
 */
export function loginHintTokens({ issuers, audience, hint = hintIn }: LoginHintTokensOptions): LoginHintTokenVerifier {
  const keys = new Map(
    Object.entries(issuers).map(([issuer, source]) => [
      issuer,
      typeof source === 'string'
        ? createRemoteJWKSet(new URL(source))
        : createLocalJWKSet(source as unknown as JSONWebKeySet),
    ]),
  )

  return async ({ token }) => {
    const issuer = issuerIn(token)
    const set = issuer === undefined ? undefined : keys.get(issuer)
    if (issuer === undefined || set === undefined) {
      throw invalidRequest('login_hint_token is not from an issuer that is trusted here')
    }
    try {
      const { payload } = await jwtVerify(token, set, {
        issuer,
        audience,
        algorithms: [...asymmetricAlgs],
        requiredClaims: ['exp'],
      })
      const named = hint(payload)
      return named && { ...named, claims: payload }
    } catch (thrown) {
      throw refusal(thrown)
    }
  }
}

function hintIn({ email, phone_number, sub }: JWTPayload): Hint | undefined {
  if (typeof email === 'string') return { type: 'email', value: email }
  if (typeof phone_number === 'string') return { type: 'phone', value: phone_number }
  return typeof sub === 'string' ? { type: 'user_id', value: sub } : undefined
}

/** Not yet verified: it says whose keys to verify with. */
function issuerIn(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token)
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}

function refusal(thrown: unknown): unknown {
  if (thrown instanceof errors.JWTExpired) {
    return new BackchannelError('expired_login_hint_token', 'login_hint_token has expired')
  }
  if (!(thrown instanceof errors.JOSEError) || keysMissing.includes(thrown.code)) return thrown
  return invalidRequest('login_hint_token is not valid', { cause: thrown })
}
