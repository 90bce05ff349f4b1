import { signJwt } from '../../core/crypto/sign.ts'
import type { SigningKey } from '../../core/crypto/signingKeys.ts'
import { randomText } from '../../core/crypto/vault.ts'
import type { Binding } from '../authorization/keyBinding.ts'
import type { Grant } from './grant.ts'

export interface AccessTokenParts {
  readonly issuer: string
  readonly key: SigningKey
  /** `aud` when no resource was asked for. */
  readonly audience: string
}

/** Makes JWT access tokens (RFC 9068). Their `jti` begins with the public id of the request they go back to. */
export function createAccessToken({ issuer, key, audience }: AccessTokenParts) {
  return (grant: Grant, iat: number, seconds: number): Promise<string> =>
    signJwt(key, 'at+jwt', {
      ...grant.wishes.accessTokenClaims,
      iss: issuer,
      sub: grant.sub,
      aud: oneOrAll(grant.resources) ?? audience,
      iat,
      exp: iat + seconds,
      jti: `${grant.request}.${randomText(16)}`,
      client_id: grant.clientId,
      scope: grant.scope.join(' '),
      auth_time: grant.authTime,
      acr: grant.acr,
      amr: grant.amr,
      authorization_details: grant.authorizationDetails,
      cnf: confirmation(grant.binding),
    })
}

/** `cnf` of a bound access token (RFC 8705 3.1, RFC 9449 6.1). */
export function confirmation({ dpopJkt, certificateThumbprint }: Binding): Record<string, string> | undefined {
  if (dpopJkt !== undefined) return { jkt: dpopJkt }
  return certificateThumbprint === undefined ? undefined : { 'x5t#S256': certificateThumbprint }
}

function oneOrAll(values: readonly string[]): string | readonly string[] | undefined {
  return values.length > 1 ? values : values[0]
}
