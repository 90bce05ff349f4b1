import { z } from 'zod'
import type { ClientAuthMethod, ClientMetadata, Jwk } from '../../contracts/clients.ts'
import { isLongEnough, isPublicKey, macBytes } from '../../core/crypto/jwk.ts'
import { asymmetricAlgs, hmacAlgs } from '../../core/crypto/jws.ts'
import { isClientId } from './credentials.ts'
import { canonicalName } from './distinguishedName.ts'

/** Every method that authenticates a client (OpenID Connect Core 9, RFC 8705 2). */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const satisfies readonly ClientAuthMethod[]

/** The extension grant of CIBA Core 4. */
export const cibaGrantType = 'urn:openid:params:grant-type:ciba'

const https = z
  .string('must be a string')
  .refine((text) => URL.canParse(text) && new URL(text).protocol === 'https:', 'must be an https URL')
  .refine((text) => URL.canParse(text) && new URL(text).username === '', 'must not hold credentials')
  .refine((text) => !text.includes('#'), 'must not have a fragment')
const landingUrl = z
  .string('must be a string')
  .refine(
    (text) => URL.canParse(text) && /^(https:|http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/])/.test(new URL(text).href),
    'must be an https URL (http on loopback only)',
  )
  .refine((text) => !text.includes('#') && URL.canParse(text) && new URL(text).username === '', 'must be a plain URL')
const texts = z.array(z.string())
const asymmetricAlg = z.enum(asymmetricAlgs, `must be one of ${asymmetricAlgs.join(' ')}`)

// a type of key that we do not know is ignored (RFC 7517 5), and so no mistake
const publicKey = z
  .custom<Jwk>(isPublicKey, 'must be a public key')
  .refine((key) => key.kty !== 'RSA' || isLongEnough(key), 'must have 2048 bits at least')

/** The members of `ClientMetadata` that have a name. */
type Member = keyof { [K in keyof ClientMetadata as string extends K ? never : K]: unknown }

/** Each member by itself (RFC 7591 2, CIBA Core 4). */
export const metadataSchema = z.looseObject({
  client_id: z.string().refine(isClientId, 'must be 1 to 255 characters, none of them a control character'),
  client_secret: z.string().min(1).optional(),
  client_secret_expires_at: z.number().nonnegative().optional(),
  client_name: z.string().min(1).max(200).optional(),
  logo_uri: https.optional(),
  token_endpoint_auth_method: z
    .enum(clientAuthMethods, 'must be a method that authenticates the client; "none" is not one')
    .default('client_secret_basic'),
  token_endpoint_auth_signing_alg: z.enum([...asymmetricAlgs, ...hmacAlgs]).optional(),
  grant_types: texts.optional(),
  scope: z.string().optional(),
  backchannel_token_delivery_mode: z.enum(['poll', 'ping', 'push'], 'must be poll, ping or push').optional(),
  backchannel_client_notification_endpoint: https.optional(),
  backchannel_authentication_request_signing_alg: asymmetricAlg.optional(),
  backchannel_user_code_parameter: z.boolean().optional(),
  jwks: z
    .looseObject({ keys: z.array(publicKey).min(1, 'must hold a key').max(50, 'must hold 50 keys at most') })
    .optional(),
  jwks_uri: https.optional(),
  subject_type: z.enum(['public', 'pairwise']).optional(),
  sector_identifier_uri: https.optional(),
  id_token_signed_response_alg: asymmetricAlg.optional(),
  id_token_encrypted_response_alg: z.string().optional(),
  id_token_encrypted_response_enc: z.string().optional(),
  tls_client_auth_subject_dn: z
    .string()
    .refine((dn) => canonicalName(dn) !== undefined, 'must be a distinguished name such as "CN=till,O=Bank,C=DE"')
    .optional(),
  tls_client_auth_san_dns: z.string().optional(),
  tls_client_auth_san_uri: z.string().optional(),
  tls_client_auth_san_ip: z.string().optional(),
  tls_client_auth_san_email: z.string().optional(),
  tls_client_certificate_bound_access_tokens: z.boolean().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  authorization_details_types: texts.optional(),
  default_acr_values: texts.optional(),
  default_max_age: z.number().nonnegative().optional(),
  require_auth_time: z.boolean().optional(),
  login_uri: landingUrl.optional(),
} satisfies { readonly [K in Member]: z.ZodType<ClientMetadata[K]> })

type Checked = z.output<typeof metadataSchema>

const subjectMembers = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const satisfies readonly Member[]

/** Rules between members. Each says what is wrong with the client, if anything is. */
export const metadataRules: readonly ((client: Checked) => string | undefined)[] = [
  ({ jwks, jwks_uri }) => (jwks && jwks_uri ? 'jwks and jwks_uri exclude each other' : undefined),
  ({ token_endpoint_auth_method: method, client_secret }) =>
    method.startsWith('client_secret') && client_secret === undefined
      ? `client_secret is needed for ${method}`
      : undefined,
  ({ token_endpoint_auth_method: method, client_secret = '', token_endpoint_auth_signing_alg: alg = 'HS256' }) =>
    method === 'client_secret_jwt' && Buffer.byteLength(client_secret) < macBytes(alg)
      ? `client_secret is too short for ${alg}`
      : undefined,
  ({ token_endpoint_auth_method: method, jwks, jwks_uri }) =>
    ['private_key_jwt', 'self_signed_tls_client_auth'].includes(method) && !jwks && !jwks_uri
      ? `jwks or jwks_uri is needed for ${method}`
      : undefined,
  ({ token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg }) =>
    alg !== undefined && alg.startsWith('HS') !== (method === 'client_secret_jwt') && method.endsWith('_jwt')
      ? `token_endpoint_auth_signing_alg ${alg} does not fit ${method}`
      : undefined,
  (client) =>
    client.token_endpoint_auth_method === 'tls_client_auth' &&
    subjectMembers.filter((name) => client[name]).length !== 1
      ? `tls_client_auth needs exactly one of ${subjectMembers.join(', ')}`
      : undefined,
  ({ backchannel_authentication_request_signing_alg: alg, jwks, jwks_uri }) =>
    alg !== undefined && !jwks && !jwks_uri ? 'jwks or jwks_uri is needed for signed requests' : undefined,
  ({ backchannel_token_delivery_mode: mode, grant_types }) =>
    mode !== undefined && mode !== 'push' && grant_types !== undefined && !grant_types.includes(cibaGrantType)
      ? `grant_types must contain ${cibaGrantType}`
      : undefined,
  ({ backchannel_token_delivery_mode: mode = 'poll', backchannel_client_notification_endpoint: endpoint }) =>
    mode !== 'poll' && endpoint === undefined
      ? `backchannel_client_notification_endpoint is needed for ${mode}`
      : undefined,
  // CIBA Core 4: the sector needs a host, and a key that proves the jwks_uri is the client's own
  ({ subject_type, backchannel_token_delivery_mode: mode, jwks_uri, sector_identifier_uri }) =>
    subject_type === 'pairwise' && mode !== undefined && mode !== 'push' && !jwks_uri && !sector_identifier_uri
      ? 'sector_identifier_uri or jwks_uri is needed for pairwise subjects'
      : undefined,
  (client) =>
    client.subject_type === 'pairwise' &&
    (client.backchannel_token_delivery_mode ?? 'push') !== 'push' &&
    client.backchannel_authentication_request_signing_alg === undefined &&
    !['private_key_jwt', 'self_signed_tls_client_auth'].includes(client.token_endpoint_auth_method)
      ? 'pairwise subjects need signed requests, private_key_jwt or self_signed_tls_client_auth'
      : undefined,
]
