/** The metadata members that are known, by the JSON type of their value. */
export type MemberType = 'string' | 'url' | 'strings' | 'boolean' | 'object'

const byType: Readonly<Record<MemberType, string>> = {
  string: 'issuer signed_metadata',
  url: `authorization_endpoint token_endpoint userinfo_endpoint jwks_uri registration_endpoint service_documentation
    op_policy_uri op_tos_uri revocation_endpoint introspection_endpoint device_authorization_endpoint
    pushed_authorization_request_endpoint backchannel_authentication_endpoint end_session_endpoint
    check_session_iframe challenge_endpoint`,
  strings: `scopes_supported response_types_supported response_modes_supported grant_types_supported
    acr_values_supported subject_types_supported id_token_signing_alg_values_supported
    id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported
    userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported
    userinfo_encryption_enc_values_supported request_object_signing_alg_values_supported
    request_object_encryption_alg_values_supported request_object_encryption_enc_values_supported
    token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported display_values_supported
    claim_types_supported claims_supported claims_locales_supported ui_locales_supported
    code_challenge_methods_supported revocation_endpoint_auth_methods_supported
    revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint_auth_methods_supported
    introspection_endpoint_auth_signing_alg_values_supported introspection_signing_alg_values_supported
    introspection_encryption_alg_values_supported introspection_encryption_enc_values_supported
    authorization_signing_alg_values_supported authorization_encryption_alg_values_supported
    authorization_encryption_enc_values_supported dpop_signing_alg_values_supported
    backchannel_token_delivery_modes_supported backchannel_authentication_request_signing_alg_values_supported
    authorization_details_types_supported prompt_values_supported`,
  boolean: `claims_parameter_supported request_parameter_supported request_uri_parameter_supported
    require_request_uri_registration require_signed_request_object require_pushed_authorization_requests
    tls_client_certificate_bound_access_tokens authorization_response_iss_parameter_supported
    frontchannel_logout_supported frontchannel_logout_session_supported backchannel_logout_supported
    backchannel_logout_session_supported`,
  object: 'mtls_endpoint_aliases',
}

/** `backchannel_user_code_parameter_supported` is known too, and has a check of its own. */
export const memberTypes: ReadonlyMap<string, MemberType> = new Map(
  Object.entries(byType).flatMap(([type, names]) =>
    names
      .split(/\s+/)
      .filter((name) => name !== '')
      .map((name) => [name, type as MemberType] as const),
  ),
)
