/** Rules that a profile sets for the whole server. */
export interface ProfileRules {
  /** `default`: every request is signed, unless the host says that it need not be. */
  readonly signedRequests: 'optional' | 'default' | 'required'
  /** Every request has a binding message or authorization details. */
  readonly requireContext: boolean
  /** Tokens are bound to a key; bearer tokens are not handed out. */
  readonly senderConstrained: boolean
  /** Each use of a refresh token brings a new one. */
  readonly rotatesRefreshTokens: boolean
  /** What a client assertion may name as its audience. */
  readonly assertionAudience: 'issuer' | 'any-endpoint'
  /** `aud` of a client assertion is a string, not an array. */
  readonly audienceAsString: boolean
  readonly deliveryModes: readonly ('poll' | 'ping' | 'push')[]
  readonly clientAuthMethods: readonly string[]
  /** Algorithms for client assertions, signed requests, DPoP proofs and ID tokens. Absent: all. */
  readonly algs?: readonly string[]
}

export type Profile = 'ciba' | 'fapi-ciba' | 'fapi2-ciba'

const publicKeyMethods = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'] as const

/** Every method that authenticates a client (OpenID Connect Core 9, RFC 8705 2). */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  ...publicKeyMethods,
] as const

/** CIBA Core; FAPI-CIBA on FAPI 1 Advanced (5.2.2, 7.10); FAPI-CIBA on FAPI 2 (5.3.2.1, 5.4.1). */
export const profiles: Readonly<Record<Profile, ProfileRules>> = {
  ciba: {
    signedRequests: 'optional',
    requireContext: false,
    senderConstrained: false,
    rotatesRefreshTokens: true,
    assertionAudience: 'any-endpoint',
    audienceAsString: false,
    deliveryModes: ['poll', 'ping', 'push'],
    clientAuthMethods,
  },
  'fapi-ciba': {
    signedRequests: 'required',
    requireContext: true,
    senderConstrained: true,
    rotatesRefreshTokens: true,
    assertionAudience: 'any-endpoint',
    audienceAsString: false,
    deliveryModes: ['poll', 'ping'],
    clientAuthMethods: publicKeyMethods,
    algs: ['PS256', 'ES256'],
  },
  'fapi2-ciba': {
    // FAPI-CIBA 4.1.1: with FAPI 2, both are to be supported
    signedRequests: 'default',
    requireContext: true,
    senderConstrained: true,
    // FAPI 2 Security Profile 5.3.2.1
    rotatesRefreshTokens: false,
    assertionAudience: 'issuer',
    audienceAsString: true,
    deliveryModes: ['poll', 'ping'],
    clientAuthMethods: publicKeyMethods,
    algs: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
  },
}

/** Options that a profile decides; given otherwise they contradict it. */
interface Decided {
  readonly requireSignedRequests?: boolean | undefined
  readonly assertionAudience?: 'issuer' | 'any-endpoint' | undefined
  readonly deliveryModes?: readonly string[] | undefined
  readonly clientAuthMethods?: readonly string[] | undefined
}

/** @throws TypeError that names the option which contradicts the profile, and what to do. */
export function refuseContradictions(profile: Profile, given: Decided): void {
  const rules = profiles[profile]
  const wrong = (option: string, remedy: string) =>
    new TypeError(`express-ciba: option "${option}" contradicts the profile "${profile}": leave it out, or ${remedy}`)
  if (rules.signedRequests === 'required' && given.requireSignedRequests === false)
    throw wrong('requireSignedRequests', 'set it to true')
  if (rules.assertionAudience === 'issuer' && given.assertionAudience === 'any-endpoint') {
    throw wrong('assertionAudience', 'set it to "issuer"')
  }
  for (const option of ['deliveryModes', 'clientAuthMethods'] as const) {
    const allowed: readonly string[] = rules[option]
    const extra = given[option]?.find((each) => !allowed.includes(each))
    if (extra !== undefined) throw wrong(option, `remove "${extra}"; it may hold ${allowed.join(', ')}`)
  }
}
