/** oidc-provider from npm on its Map adapter, mounted in Express 5, with CIBA in poll mode. */
import { createRequire } from 'node:module'
import express from 'express'
import { exportJWK, generateKeyPair } from 'jose'
import { type AdapterPayload, Provider } from 'oidc-provider'
import { clientJwk, secret, serve } from './describe.ts'

const { version } = createRequire(import.meta.url)('oidc-provider/package.json')
const app = express().disable('x-powered-by')

/** The package's advice for tests: a plain Map, so that no limit of an LRU gets in the way. */
class MapAdapter {
  static readonly all = new Map<string, AdapterPayload>()
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }
  key = (id: string) => `${this.#name}:${id}`
  async upsert(id: string, payload: AdapterPayload) {
    MapAdapter.all.set(this.key(id), payload)
  }
  async find(id: string) {
    return MapAdapter.all.get(this.key(id))
  }
  async destroy(id: string) {
    MapAdapter.all.delete(this.key(id))
  }
  async consume(id: string) {
    const payload = MapAdapter.all.get(this.key(id))
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
  }
  async revokeByGrantId() {}
  async findByUid() {
    return undefined
  }
  async findByUserCode() {
    return undefined
  }
}

await serve(app, async (issuer) => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const grant_types = ['urn:openid:params:grant-type:ciba']
  const common = {
    grant_types,
    redirect_uris: [],
    response_types: [],
    backchannel_token_delivery_mode: 'poll' as const,
    id_token_signed_response_alg: 'ES256' as const,
  }
  const provider = new Provider(issuer, {
    adapter: MapAdapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: '1' } as never] },
    clients: [
      { ...common, client_id: 'basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
      ...(clientJwk.kty === undefined
        ? []
        : [
            {
              ...common,
              client_id: 'jwt',
              token_endpoint_auth_method: 'private_key_jwt' as const,
              token_endpoint_auth_signing_alg: 'ES256' as const,
              jwks: { keys: [clientJwk as never] },
            },
          ]),
    ],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], clientAuthSigningAlgValues: ['ES256'] },
    async findAccount(_ctx, sub) {
      return { accountId: sub, claims: async () => ({ sub }) }
    },
    features: {
      devInteractions: { enabled: false },
      ciba: {
        enabled: true,
        deliveryModes: ['poll'],
        processLoginHint: async (_ctx, hint) => hint,
        processLoginHintToken: async () => undefined,
        verifyUserCode: async () => {},
        validateBindingMessage: async () => {},
        validateRequestContext: async () => {},
        triggerAuthenticationDevice: async () => {},
      },
    },
    ttl: { BackchannelAuthenticationRequest: 600, AccessToken: 3600, IdToken: 3600, Grant: 3600 },
  })

  app.post('/approve', async (req, res) => {
    const request = await provider.BackchannelAuthenticationRequest.find(String(req.query.auth_req_id))
    const client = request?.clientId === undefined ? undefined : await provider.Client.find(request.clientId)
    if (request?.accountId === undefined || client === undefined) return void res.status(404).end()
    const grant = new provider.Grant({ clientId: client.clientId, accountId: request.accountId })
    grant.addOIDCScope('openid')
    await grant.save()
    await provider.backchannelResult(request, grant)
    res.status(204).end()
  })
  app.use(provider.callback())
  return {
    name: 'oidc-provider',
    version,
    backchannel_authentication_endpoint: `${issuer}/backchannel`,
    token_endpoint: `${issuer}/token`,
    approve_url: `${issuer}/approve?auth_req_id={auth_req_id}&action={action}`,
  }
})
