/**
 * oidc-provider from npm as a FAPI-CIBA server over HTTPS with client certificates, from the same JSON file and with the
 * same first line as `examples/op`. What it lacks is left as it is: the harness has to find it.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { exportJWK, generateKeyPair } from 'jose'
import { type Configuration, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { Agent, fetch } from 'undici'
import { MapAdapter } from './mapAdapter.ts'

const { version } = createRequire(import.meta.url)('oidc-provider/package.json')
const { tls, clients, plain = false } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))

const ciphers = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384'
const server = createServer({
  ...tls,
  ...(plain ? {} : { minVersion: 'TLSv1.2', ciphers }),
  requestCert: true,
  rejectUnauthorized: false,
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const issuer = `https://localhost:${(server.address() as AddressInfo).port}`

const agent = new Agent({ connect: { rejectUnauthorized: false } })
/** Requests whose approval is not yet answered: their pings wait for it. */
const approving = new Map<string, Promise<void>>()
const socketOf = (ctx: KoaContextWithOIDC) => ctx.req.socket as TLSSocket
const { privateKey } = await generateKeyPair('PS256', { extractable: true })
const pass = async () => {}

const enabledJWA: NonNullable<Configuration['enabledJWA']> = {
  idTokenSigningAlgValues: ['PS256'],
  clientAuthSigningAlgValues: ['PS256'],
  requestObjectSigningAlgValues: ['PS256'],
}
const configuration: Configuration = {
  adapter: MapAdapter,
  clients,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'PS256', use: 'sig', kid: 'one' } as never] },
  scopes: ['openid', 'offline_access'],
  clientAuthMethods: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  ...(plain ? {} : { enabledJWA }),
  findAccount: async (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  async fetch(url, options) {
    const { auth_req_id } = JSON.parse(String(options?.body))
    await approving.get(auth_req_id)
    return fetch(url as string, { ...(options as object), dispatcher: agent }) as never
  },
  features: {
    devInteractions: { enabled: false },
    ...(plain ? {} : { fapi: { enabled: true, profile: '1.0 Final' } }),
    requestObjects: { enabled: true, requireSignedRequestObject: !plain },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => socketOf(ctx).getPeerX509Certificate()?.toString(),
      certificateAuthorized: (ctx) => socketOf(ctx).authorized,
      certificateSubjectMatches: (ctx, property, expected) =>
        property === 'tls_client_auth_subject_dn' && socketOf(ctx).getPeerX509Certificate()?.subject === expected,
    },
    ciba: {
      enabled: true,
      deliveryModes: ['poll', 'ping'],
      processLoginHint: async (_ctx, hint) => (hint === 'alice' ? hint : undefined),
      processLoginHintToken: async () => undefined,
      verifyUserCode: pass,
      validateRequestContext: pass,
      triggerAuthenticationDevice: pass,
    },
  },
  ttl: {
    AccessToken: 3600,
    IdToken: 3600,
    Grant: 3600,
    RefreshToken: 3600,
    BackchannelAuthenticationRequest: (ctx) => Math.min(600, Number(ctx.oidc.params?.requested_expiry ?? 600)),
  },
}

const provider = new Provider(issuer, configuration)
provider.on('server_error', (_ctx, error) => console.error(error))

/** Records the decision, answers, and lets the ping go out. */
async function approve(authReqId: string, action: string | null): Promise<number> {
  const request = await provider.BackchannelAuthenticationRequest.find(authReqId)
  if (request?.accountId === undefined || request.clientId === undefined) return 404
  const grant = new provider.Grant({ clientId: request.clientId, accountId: request.accountId })
  grant.addOIDCScope('openid offline_access')
  await grant.save()
  const decision = action === 'allow' ? grant : new errors.AccessDenied()
  await new Promise<void>((resolve) => {
    approving.set(authReqId, new Promise((answered) => setTimeout(answered, 50)))
    request.save = ((save) => async () => {
      const id = await save.call(request)
      resolve()
      return id
    })(request.save)
    // a ping that is refused rejects here, after the decision was stored
    provider.backchannelResult(request, decision as typeof grant).catch(() => resolve())
  })
  return 204
}

const handle = provider.callback()
server.on('request', async (req, res) => {
  const url = new URL(req.url ?? '', issuer)
  if (url.pathname === '/approve') {
    res.writeHead(await approve(url.searchParams.get('auth_req_id') ?? '', url.searchParams.get('action'))).end()
    return
  }
  // the resource is its userinfo endpoint, which knows nothing of the FAPI header
  if (url.pathname === '/me') {
    res.setHeader('x-fapi-interaction-id', req.headers['x-fapi-interaction-id'] ?? crypto.randomUUID())
  }
  handle(req, res)
})

console.log(
  JSON.stringify({
    name: 'oidc-provider',
    version,
    discovery_url: `${issuer}/.well-known/openid-configuration`,
    resource_url: `${issuer}/me`,
    approve_url: `${issuer}/approve?auth_req_id={auth_req_id}&action={action}`,
    scope: 'openid offline_access',
    login_hint: 'alice',
  }),
)
process.once('SIGTERM', () => process.exit(0))
