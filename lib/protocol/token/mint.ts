import type { Awaitable, Client, ClientMetadata } from '../../contracts/contracts.ts'
import type { Keys, SigningKey } from '../../core/crypto/signingKeys.ts'
import type { Guard } from '../../core/guard.ts'
import type { AuthorizationDetail, TokenProperty, TokenWishes } from '../../core/request.ts'
import { createAccessToken } from './accessToken.ts'
import type { Grant } from './grant.ts'
import { createIdToken } from './idToken.ts'
import type { Lifetimes } from './lifetimes.ts'

/** The token endpoint's answer (RFC 6749 5.1, OpenID Connect Core 3.1.3.3). */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expires_in: number
  readonly id_token?: string
  readonly refresh_token?: string
  readonly scope: string
  readonly authorization_details?: readonly AuthorizationDetail[]
  readonly [member: string]: unknown
}

/** Makes an access token of the host's own. `undefined`: a JWT is made. */
export type MakeAccessToken = (grant: Grant) => Awaitable<string | undefined>

export interface MintParts {
  readonly keys: Keys
  readonly issuer: string
  readonly clock: () => number
  lifetimesOf(client: ClientMetadata, wishes: TokenWishes): Lifetimes
  /** `aud` of access tokens when no resource was asked for. */
  readonly audience: string
  readonly accessToken?: MakeAccessToken | undefined
  readonly guard: Guard
  /** The user's claims for the ID token. */
  claimsFor(grant: Grant): Promise<Readonly<Record<string, unknown>>>
  /** The ID token as the client wants it. */
  encrypt(idToken: string, client: Client): Promise<string>
}

/** Makes and signs the tokens of a grant. */
export function createMint(parts: MintParts) {
  const { keys, issuer, clock, lifetimesOf, audience, guard } = parts
  const makeJwt = createAccessToken({ issuer, audience, key: required(keys.forAlg(undefined)) })
  const makeIdToken = createIdToken({ issuer })

  async function opaque(grant: Grant): Promise<string | undefined> {
    return parts.accessToken && guard('tokens', () => parts.accessToken?.(grant))
  }

  return async (grant: Grant, client: Client, refreshToken?: string): Promise<TokenResponse> => {
    const { wishes, authorizationDetails } = grant
    const key = required(keys.forAlg(grant.client.id_token_signed_response_alg))
    const claims = await parts.claimsFor(grant)
    const iat = Math.floor(clock() / 1000)
    const { accessTokenSeconds: seconds, idTokenSeconds } = lifetimesOf(grant.client, wishes)
    const accessToken = grant.accessToken ?? (await opaque(grant)) ?? (await makeJwt(grant, iat, seconds))
    // a refresh may do without (OpenID Connect Core 12.2)
    const idToken = grant.scope.includes('openid')
      ? await makeIdToken(grant, { key, claims, iat, seconds: idTokenSeconds, accessToken, refreshToken })
      : undefined
    return {
      ...visible(wishes.properties),
      access_token: accessToken,
      token_type: grant.binding.dpopJkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: seconds,
      ...(idToken === undefined ? {} : { id_token: await parts.encrypt(idToken, client) }),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      scope: grant.scope.join(' '),
      ...(authorizationDetails === undefined ? {} : { authorization_details: authorizationDetails }),
    }
  }
}

/** Properties that the client may see become members of the answer. */
function visible(properties: readonly TokenProperty[] = []): Record<string, string> {
  return Object.fromEntries(properties.flatMap(({ key, value, hidden }) => (hidden ? [] : [[key, value]])))
}

function required(key: SigningKey | undefined): SigningKey {
  if (key === undefined) throw new Error('no signing key for the registered id_token_signed_response_alg')
  return key
}
