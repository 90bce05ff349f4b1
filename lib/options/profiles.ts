import type { ClientAuthMethod } from '../contracts/clients.ts'
import type { BackchannelOptions, Profile } from '../contracts/options.ts'
import type { ProfileRules } from '../core/settings.ts'
import { clientAuthMethods } from '../protocol/client/metadataSchema.ts'

const publicKeyMethods = [
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const satisfies readonly ClientAuthMethod[]

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

/** @throws TypeError that names the option which contradicts the profile, and what to do. */
export function refuseContradictions({ profile = 'ciba', requests, clientAuth, delivery }: BackchannelOptions): void {
  const rules = profiles[profile]
  const refuse = (option: string, remedy: string): never => {
    throw new TypeError(
      `express-ciba: option "${option}" contradicts the profile "${profile}": leave it out, or ${remedy}`,
    )
  }
  const refuseOthers = (option: string, given: readonly string[] = [], allowed: readonly string[]): void => {
    const other = given.find((each) => !allowed.includes(each))
    if (other !== undefined) refuse(option, `remove "${other}"; it may hold ${allowed.join(', ')}`)
  }
  if (rules.signedRequests === 'required' && requests?.requireSigned === false) {
    refuse('requests.requireSigned', 'set it to true')
  }
  if (rules.assertionAudience === 'issuer' && clientAuth?.assertionAudience === 'any-endpoint') {
    refuse('clientAuth.assertionAudience', 'set it to "issuer"')
  }
  refuseOthers('delivery.modes', delivery?.modes, rules.deliveryModes)
  refuseOthers('clientAuth.methods', clientAuth?.methods, rules.clientAuthMethods)
}
