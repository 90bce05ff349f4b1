import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProgram } from '../helpers/program.ts'
import {
  type AuthType,
  authTypes,
  type ConfigInput,
  type Mode,
  modes,
  type Registration,
  registrations,
} from './config.ts'
import { type Material, publicKeys } from './material.ts'
import { notificationEndpoint } from './receiver.ts'
import { cibaGrant } from './requests.ts'

/** Servers that the harness can start by itself: each takes one JSON file and describes itself in one line. */
export const targets = {
  op: 'examples/op/main.ts',
  'oidc-provider': 'test/conformance/peers/oidc-provider.ts',
  /** The same without the settings that FAPI-CIBA asks for. */
  'oidc-provider-plain': 'test/conformance/peers/oidc-provider.ts',
} as const

export type TargetName = keyof typeof targets

/** What a target prints first. */
interface Description {
  readonly name: string
  readonly version: string
  readonly discovery_url: string
  readonly resource_url: string
  readonly approve_url: string
  readonly scope: string
  readonly login_hint: string
  readonly acr_value?: string
}

export interface Target {
  readonly name: string
  readonly configs: readonly ConfigInput[]
  stop(): Promise<unknown>
}

/** Starts a server with a static client pair for each variant. */
export async function startTarget(target: TargetName, options: StartOptions): Promise<Target> {
  const { material, notifyAt } = options
  const folder = mkdtempSync(join(tmpdir(), 'express-ciba-'))
  const file = join(folder, 'config.json')
  const clients = modes.flatMap((mode) =>
    authTypes.flatMap((auth) => [0, 1].map((at) => staticClient({ mode, auth, at, material, notifyAt }))),
  )
  writeFileSync(file, JSON.stringify(serverConfig(target, options, clients)), { mode: 0o600 })
  const program = startProgram(['--import', 'tsx', targets[target], file])
  const description: Description = JSON.parse(await program.line(/^\{.*"discovery_url"/))
  rmSync(folder, { recursive: true })
  return {
    name: `${description.name} ${description.version}`,
    configs: registrations.flatMap((registration) =>
      modes.flatMap((mode) => authTypes.map((auth) => configFor({ mode, auth, registration, material, description }))),
    ),
    stop: () => program.stop(),
  }
}

export interface StartOptions {
  readonly material: Material
  /** Base URL of the notification endpoint. */
  readonly notifyAt: string
  /** Of the server that keeps the requests of examples/op. */
  readonly storeUrl?: string | undefined
}

interface Variant {
  readonly mode: Mode
  readonly auth: AuthType
  readonly material: Material
}

const aliasOf = ({ mode, auth }: Pick<Variant, 'mode' | 'auth'>) => `${mode}-${auth}`
const idOf = (variant: Pick<Variant, 'mode' | 'auth'>, at: number) => `${aliasOf(variant)}-${at + 1}`

function staticClient({ mode, auth, at, material, notifyAt }: Variant & { at: number; notifyAt: string }) {
  const credentials = material.clients[at]!
  const mtls =
    at === 0
      ? { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=client-1' }
      : { token_endpoint_auth_method: 'self_signed_tls_client_auth' }
  return {
    client_id: idOf({ mode, auth }, at),
    client_name: `Conformance ${at + 1}`,
    grant_types: [cibaGrant, 'refresh_token'],
    response_types: [],
    redirect_uris: [],
    ...(auth === 'mtls'
      ? mtls
      : { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256' }),
    jwks: publicKeys(credentials),
    backchannel_token_delivery_mode: mode,
    ...(mode === 'ping'
      ? { backchannel_client_notification_endpoint: notificationEndpoint(notifyAt, aliasOf({ mode, auth })) }
      : {}),
    backchannel_authentication_request_signing_alg: 'PS256',
    id_token_signed_response_alg: 'PS256',
    tls_client_certificate_bound_access_tokens: true,
  }
}

/** One file for every target; the examples' own provider takes options of the package besides. */
function serverConfig(target: TargetName, { material, notifyAt, storeUrl }: StartOptions, clients: readonly object[]) {
  const { server, authority, serverKeys } = material
  const common = { tls: { ...server, ca: authority.cert }, clients, approve: true }
  if (target !== 'op') return { ...common, plain: target === 'oidc-provider-plain' }
  return {
    ...common,
    tls: { ...common.tls, mtlsPort: 0 },
    registration: true,
    ...(storeUrl === undefined ? {} : { store: storeUrl }),
    options: {
      profile: 'fapi-ciba',
      requests: { acrValues: ['urn:example:gold'], bindingMessage: 'ascii' },
      delivery: { modes: ['poll', 'ping'], outbound: { allow: [new URL(notifyAt).host], ca: authority.cert } },
      keys: serverKeys,
      // one user is asked by forty modules at a time, and what they leave open would add up
      limits: false,
    },
  }
}

function configFor(variant: Variant & { registration: Registration; description: Description }): ConfigInput {
  const { mode, auth, registration, material, description } = variant
  const [first, second] = material.clients
  const fixed = registration === 'static_client'
  const one = { scope: description.scope, client_name: 'Conformance 1' }
  const two = {
    scope: description.scope,
    client_name: 'Conformance 2',
    ...(description.acr_value === undefined ? {} : { acr_value: description.acr_value }),
  }
  const hint = { hint_type: 'login_hint' as const, hint_value: description.login_hint }
  return {
    ...(fixed ? { alias: aliasOf(variant) } : {}),
    server: { discoveryUrl: description.discovery_url },
    resource: { resourceUrl: description.resource_url },
    client: fixed ? { ...one, ...hint, client_id: idOf(variant, 0), jwks: { keys: [first.key] } } : { ...one, ...hint },
    client2: fixed ? { ...two, client_id: idOf(variant, 1), jwks: { keys: [second.key] } } : two,
    mtls: (fixed ? material.clients : material.dynamic)[0].certificate,
    mtls2: second.certificate,
    automated_ciba_approval_url: description.approve_url,
    variant: { client_auth_type: auth, ciba_mode: mode, client_registration: registration },
  }
}
