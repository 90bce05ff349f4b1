import type { Context } from '../../core/context.ts'
import { claimsOfScope } from '../authorization/claims.ts'
import { assertionAlgs, clientAlgs } from '../client/algs.ts'
import { grantTypes } from './endpoint.ts'
import { encryptionAlgs, encryptionEncs } from './idTokenEncryption.ts'

/** Members of the discovery document (OpenID Connect Discovery 3, RFC 8414 2, CIBA Core 4). */
export function metadataOf(ctx: Context): Readonly<Record<string, unknown>> {
  const { settings, urls } = ctx
  const { requests, clientAuth, delivery } = settings
  const members: Record<string, unknown> = {
    issuer: settings.issuer,
    backchannel_authentication_endpoint: urls.backchannel,
    token_endpoint: urls.token,
    ...ownTokenEndpoints(ctx, urls),
    jwks_uri: urls.jwks,
    backchannel_token_delivery_modes_supported: delivery.modes,
    backchannel_authentication_request_signing_alg_values_supported: clientAlgs(ctx),
    backchannel_user_code_parameter_supported: requests.userCodes,
    grant_types_supported: grantTypes(ctx),
    response_types_supported: [],
    scopes_supported: requests.scopes,
    subject_types_supported: settings.hasOwnSecret ? ['public', 'pairwise'] : ['public'],
    id_token_signing_alg_values_supported: ctx.signingKeys.algs,
    id_token_encryption_alg_values_supported: encryptionAlgs,
    id_token_encryption_enc_values_supported: encryptionEncs,
    claims_supported: claimsOnOffer(ctx),
    claims_parameter_supported: true,
    authorization_details_types_supported: Array.from(ctx.hooks.detailTypes.keys()),
    token_endpoint_auth_methods_supported: clientAuth.methods,
    token_endpoint_auth_signing_alg_values_supported: clientAuth.methods.some((each) => each.endsWith('_jwt'))
      ? assertionAlgs(ctx)
      : [],
    acr_values_supported: requests.acrValues,
    tls_client_certificate_bound_access_tokens: true,
    dpop_signing_alg_values_supported: clientAlgs(ctx),
    mtls_endpoint_aliases: mtlsAliases(ctx),
  }
  return Object.fromEntries(Object.entries(members).filter(([name, value]) => isSaid(name, value)))
}

/** RFC 8414 2: members without values are left out; OpenID Connect Discovery demands `response_types_supported`. */
function isSaid(name: string, value: unknown): boolean {
  return name === 'response_types_supported' || (Array.isArray(value) ? value.length > 0 : value !== undefined)
}

/** Tokens that the host issues are revoked and introspected there. */
function ownTokenEndpoints(ctx: Context, { revoke, introspect }: Context['urls']): Readonly<Record<string, string>> {
  return ctx.tokenHooks.issue === undefined ? { revocation_endpoint: revoke, introspection_endpoint: introspect } : {}
}

function claimsOnOffer(ctx: Context): readonly string[] {
  if (!ctx.users.hasClaims) return []
  return ['sub', 'acr', 'amr', 'auth_time', ...claimsOfScope(ctx, ctx.settings.requests.scopes)]
}

/** RFC 8705 5. */
function mtlsAliases(ctx: Context): Readonly<Record<string, string>> | undefined {
  const { urls, mtlsUrls } = ctx
  if (mtlsUrls.token === urls.token) return undefined
  return {
    token_endpoint: mtlsUrls.token,
    backchannel_authentication_endpoint: mtlsUrls.backchannel,
    ...ownTokenEndpoints(ctx, mtlsUrls),
  }
}
