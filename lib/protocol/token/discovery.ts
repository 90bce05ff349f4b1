import type { DeliveryMode } from '../../core/request.ts'
import type { Urls } from '../../options/paths.ts'

export interface MetadataParts {
  readonly issuer: string
  readonly urls: Urls
  /** The same routes where client certificates are asked for; `urls` when it is the same place. */
  readonly mtlsUrls: Urls
  readonly scopes: readonly string[]
  readonly acrValues: readonly string[]
  readonly clientAuthMethods: readonly string[]
  readonly clientAuthAlgs: readonly string[]
  readonly deliveryModes: readonly DeliveryMode[]
  readonly idTokenAlgs: readonly string[]
  readonly idTokenEncryptionAlgs: readonly string[]
  readonly idTokenEncryptionEncs: readonly string[]
  readonly subjectTypes: readonly string[]
  readonly claims: readonly string[]
  readonly authorizationDetailsTypes: readonly string[]
  readonly grantTypes: readonly string[]
  readonly requestAlgs: readonly string[]
  readonly userCodes: boolean
  /** Tokens are made here, and may be revoked and introspected here. */
  readonly ownTokens: boolean
  readonly dpopAlgs: readonly string[]
  readonly certificateBound: boolean
}

/** Members of the discovery document (OpenID Connect Discovery 3, RFC 8414 2, CIBA Core 4). */
export function metadataOf(parts: MetadataParts): Readonly<Record<string, unknown>> {
  const { urls } = parts
  const members: Record<string, unknown> = {
    issuer: parts.issuer,
    backchannel_authentication_endpoint: urls.backchannel,
    token_endpoint: urls.token,
    revocation_endpoint: parts.ownTokens ? urls.revoke : undefined,
    introspection_endpoint: parts.ownTokens ? urls.introspect : undefined,
    jwks_uri: urls.jwks,
    backchannel_token_delivery_modes_supported: parts.deliveryModes,
    backchannel_authentication_request_signing_alg_values_supported: parts.requestAlgs,
    backchannel_user_code_parameter_supported: parts.userCodes,
    grant_types_supported: parts.grantTypes,
    response_types_supported: [],
    scopes_supported: parts.scopes,
    subject_types_supported: parts.subjectTypes,
    id_token_signing_alg_values_supported: parts.idTokenAlgs,
    id_token_encryption_alg_values_supported: parts.idTokenEncryptionAlgs,
    id_token_encryption_enc_values_supported: parts.idTokenEncryptionEncs,
    claims_supported: parts.claims,
    claims_parameter_supported: true,
    authorization_details_types_supported: parts.authorizationDetailsTypes,
    token_endpoint_auth_methods_supported: parts.clientAuthMethods,
    token_endpoint_auth_signing_alg_values_supported: parts.clientAuthMethods.some((each) => each.endsWith('_jwt'))
      ? parts.clientAuthAlgs
      : [],
    acr_values_supported: parts.acrValues,
    tls_client_certificate_bound_access_tokens: parts.certificateBound,
    dpop_signing_alg_values_supported: parts.dpopAlgs,
    mtls_endpoint_aliases: aliases(parts),
  }
  // RFC 8414 2: members without values are left out; response_types_supported is required by OpenID Connect Discovery
  return Object.fromEntries(
    Object.entries(members).filter(
      ([name, value]) =>
        name === 'response_types_supported' || (Array.isArray(value) ? value.length > 0 : value !== undefined),
    ),
  )
}

/** RFC 8705 5. */
function aliases({ urls, mtlsUrls, ownTokens }: MetadataParts): Readonly<Record<string, string>> | undefined {
  if (mtlsUrls.token === urls.token) return undefined
  return {
    token_endpoint: mtlsUrls.token,
    backchannel_authentication_endpoint: mtlsUrls.backchannel,
    ...(ownTokens ? { revocation_endpoint: mtlsUrls.revoke, introspection_endpoint: mtlsUrls.introspect } : {}),
  }
}
