import type { X509Certificate } from 'node:crypto'
import type { Request } from 'express'

/** A value, or a promise of it. Hosts answer either way. */
export type Awaitable<T> = T | Promise<T>

/** How a client collects its tokens (CIBA Core 5). Frozen with the request. */
export type DeliveryMode = 'poll' | 'ping' | 'push'

/** A JSON Web Key (RFC 7517). */
export interface Jwk {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly [member: string]: unknown
}

/** A JSON Web Key Set. */
export interface JwkSet {
  readonly keys: readonly Jwk[]
}

/** Registered client authentication methods (OpenID Connect Core 9, RFC 8705 2). */
export type ClientAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'

/**
 * A registered client. Member names are those of dynamic client registration (RFC 7591, CIBA Core 4, OpenID Connect
 * Registration). Unknown members are ignored and may carry whatever the host likes.
 */
export interface ClientMetadata {
  readonly client_id: string
  readonly client_secret?: string | undefined
  /** Epoch seconds after which the secret is worth nothing. 0, the default: it does not expire. */
  readonly client_secret_expires_at?: number | undefined
  /** Name shown to the user. Defaults to `client_id`. */
  readonly client_name?: string | undefined
  readonly logo_uri?: string | undefined
  /** Defaults to `client_secret_basic`. */
  readonly token_endpoint_auth_method?: ClientAuthMethod | undefined
  readonly token_endpoint_auth_signing_alg?: string | undefined
  /** Must contain `urn:openid:params:grant-type:ciba` for poll and ping. */
  readonly grant_types?: readonly string[] | undefined
  /** Space-separated scope values this client may ask for. Defaults to every scope the server supports. */
  readonly scope?: string | undefined
  readonly backchannel_token_delivery_mode?: 'poll' | 'ping' | 'push' | undefined
  readonly backchannel_client_notification_endpoint?: string | undefined
  readonly backchannel_authentication_request_signing_alg?: string | undefined
  readonly backchannel_user_code_parameter?: boolean | undefined
  readonly jwks?: JwkSet | undefined
  readonly jwks_uri?: string | undefined
  readonly subject_type?: 'public' | 'pairwise' | undefined
  readonly sector_identifier_uri?: string | undefined
  readonly id_token_signed_response_alg?: string | undefined
  readonly id_token_encrypted_response_alg?: string | undefined
  readonly id_token_encrypted_response_enc?: string | undefined
  readonly tls_client_auth_subject_dn?: string | undefined
  readonly tls_client_auth_san_dns?: string | undefined
  readonly tls_client_auth_san_uri?: string | undefined
  readonly tls_client_auth_san_ip?: string | undefined
  readonly tls_client_auth_san_email?: string | undefined
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined
  readonly dpop_bound_access_tokens?: boolean | undefined
  readonly authorization_details_types?: readonly string[] | undefined
  readonly default_acr_values?: readonly string[] | undefined
  readonly default_max_age?: number | undefined
  readonly require_auth_time?: boolean | undefined
  /** Not standard: where the notice's link leads for hosts with their own landing page (Transmit's `login_uri`). */
  readonly login_uri?: string | undefined
  readonly [member: string]: unknown
}

/**
 * The host's registered clients.
 * @example
 * ```ts
 * const clients: Clients = { find: ({ clientId }) => db.clients.find(clientId) }
 * ```
 */
export interface Clients {
  /** A client's registered metadata. `undefined` (or `null`): no such client. Throwing answers 503. */
  find(query: { readonly clientId: string }): Awaitable<ClientMetadata | undefined | null>
}

/**
 * Reads the client certificate of a request. The default reads the TLS socket; no header is trusted by itself.
 * A host that hands a certificate over vouches for its chain.
 * @example
 * ```ts
 * // only behind a proxy that overwrites this header
 * const getCertificate: GetCertificate = ({ req }) => {
 *   const pem = req.get('x-client-certificate')
 *   return pem === undefined ? undefined : new X509Certificate(decodeURIComponent(pem))
 * }
 * ```
 */
export type GetCertificate = (call: { readonly req: Request }) => X509Certificate | undefined
