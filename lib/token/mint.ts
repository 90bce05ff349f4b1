import { createHash, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Client } from '../contracts.ts'
import type { Approval } from '../record.ts'
import type { Binding } from './binding.ts'
import type { Keys, SigningKey } from './keys.ts'

/** The token endpoint's answer (RFC 6749 5.1, OpenID Connect Core 3.1.3.3). */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expires_in: number
  readonly id_token?: string
  readonly refresh_token?: string
  readonly scope: string
  readonly [member: string]: unknown
}

export interface MintParts {
  readonly keys: Keys
  readonly issuer: string
  readonly clock: () => number
  readonly idTokenSeconds: number
  readonly accessTokenSeconds: number
  /** `aud` of access tokens when no resource was asked for. */
  readonly audience: string
}

/**
 * Makes and signs the tokens of an approved request: an ID token and a JWT access token (RFC 9068).
 * With `push` the ID token vouches for the whole delivery (CIBA Core 10.3.1).
 */
export function createMint({ keys, issuer, clock, idTokenSeconds, accessTokenSeconds, audience }: MintParts) {
  return async (
    approval: Approval,
    client: Client,
    binding: Binding,
    push?: { readonly authReqId: string },
  ): Promise<TokenResponse> => {
    const iat = Math.floor(clock() / 1000)
    const idTokenKey = required(keys.forAlg(client.metadata.id_token_signed_response_alg))
    const accessTokenKey = required(keys.forAlg(undefined))
    const common = {
      iss: issuer,
      sub: approval.sub,
      iat,
      ...(approval.authTime === undefined ? {} : { auth_time: approval.authTime }),
      ...(approval.acr === undefined ? {} : { acr: approval.acr }),
      ...(approval.amr === undefined ? {} : { amr: [...approval.amr] }),
    }
    const accessToken = await sign(accessTokenKey, 'at+jwt', {
      ...common,
      aud: audience,
      exp: iat + accessTokenSeconds,
      jti: randomUUID(),
      client_id: client.id,
      scope: approval.scope.join(' '),
      ...confirmation(binding),
    })
    const idToken = await sign(idTokenKey, 'JWT', {
      ...common,
      aud: client.id,
      exp: iat + idTokenSeconds,
      at_hash: leftHalfHash(accessToken, idTokenKey.alg),
      ...(push === undefined ? {} : { 'urn:openid:params:jwt:claim:auth_req_id': push.authReqId }),
    })
    return {
      access_token: accessToken,
      token_type: binding.dpopJkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: accessTokenSeconds,
      id_token: idToken,
      scope: approval.scope.join(' '),
    }
  }
}

/** `cnf` of a bound access token (RFC 8705 3.1, RFC 9449 6.1). */
function confirmation({ dpopJkt, certificateThumbprint }: Binding): { cnf?: Record<string, string> } {
  if (dpopJkt !== undefined) return { cnf: { jkt: dpopJkt } }
  return certificateThumbprint === undefined ? {} : { cnf: { 'x5t#S256': certificateThumbprint } }
}

async function sign(key: SigningKey, typ: string, claims: Record<string, unknown>): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, typ }).sign(await key.key())
}

/** `at_hash` (OpenID Connect Core 3.1.3.6): the left half of the hash that belongs to the ID token's algorithm. */
export function leftHalfHash(value: string, alg: string): string {
  const bits = /\d{3}$/.exec(alg)?.[0]
  const digest = createHash(alg === 'EdDSA' || alg === 'Ed25519' ? 'sha512' : `sha${bits}`)
    .update(value, 'ascii')
    .digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

function required(key: SigningKey | undefined): SigningKey {
  if (key === undefined) throw new Error('no signing key for the registered id_token_signed_response_alg')
  return key
}
