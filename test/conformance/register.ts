import type { Finding } from './checks/catalogue.ts'
import { registration, removal } from './checks/registration.ts'
import type { Config } from './config.ts'
import { type Answer, createHttp, membersOf } from './http.ts'
import { type Credentials, publicKeys } from './material.ts'
import { cibaGrant } from './requests.ts'
import type { Trial } from './trial.ts'

/** What becomes of a client that is registered for one module. */
export interface Registered {
  readonly clientId: string
  /** Takes it away again. */
  remove(): Promise<void>
}

export interface Registering extends Pick<Trial, 'auth' | 'mode' | 'check'> {
  readonly config: Config
  readonly second: boolean
  readonly endpoint: string
  readonly notificationEndpoint: string
  readonly refresh: boolean
  readonly credentials: Credentials
  /** Keeps what the check finds, and never throws. */
  note(findings: Iterable<Finding>): void
}

/** Registers a client (RFC 7591) with the metadata that the suite sends. */
export async function register(registering: Registering): Promise<Registered> {
  const { config, second, endpoint, credentials, check, note } = registering
  const { initial_access_token: initial } = second ? config.client2 : config.client
  const http = createHttp(credentials.certificate)
  const answer = await http.send(endpoint, {
    method: 'POST',
    headers: initial === undefined ? {} : { authorization: `Bearer ${initial}` },
    json: metadataOf(registering),
  })
  try {
    await check(registration(answer))
  } catch (stopped) {
    await http.close()
    throw stopped
  }
  const { client_id, registration_client_uri: uri, registration_access_token: token } = membersOf(answer)
  return {
    clientId: String(client_id),
    async remove() {
      if (typeof uri === 'string') note(removal(await deleteClient(uri, String(token))))
      await http.close()
    },
  }

  function deleteClient(url: string, bearer: string): Promise<Answer> {
    return http.send(url, { method: 'DELETE', headers: { authorization: `Bearer ${bearer}` } })
  }
}

function metadataOf({ config, second, auth, mode, refresh, credentials, notificationEndpoint }: Registering) {
  const alg = credentials.key.alg
  return {
    client_name: (second ? config.client2 : config.client).client_name,
    grant_types: refresh ? [cibaGrant, 'refresh_token'] : [cibaGrant],
    response_types: [],
    jwks: publicKeys(credentials),
    backchannel_token_delivery_mode: mode,
    ...(mode === 'ping' ? { backchannel_client_notification_endpoint: notificationEndpoint } : {}),
    backchannel_user_code_parameter: false,
    backchannel_authentication_request_signing_alg: alg,
    id_token_signed_response_alg: alg,
    ...(auth === 'mtls'
      ? { token_endpoint_auth_method: 'self_signed_tls_client_auth' }
      : { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg }),
    tls_client_certificate_bound_access_tokens: true,
  }
}
