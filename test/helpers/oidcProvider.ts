import type { AddressInfo } from 'node:net'
import express from 'express'
import { type BackchannelEvent, cibaGrantType, type Notice } from 'express-ciba'
import { type CibaFeatureOptions, createCibaFeature } from 'express-ciba/adapters/oidc-provider'
import { type Adapter, type AdapterPayload, type Configuration, errors, Provider } from 'oidc-provider'
import { type Answer, clientOf } from './client.ts'
import { deviceOf } from './device.ts'
import { users } from './host.ts'
import { until } from './until.ts'

const secret = 'till-secret-0123456789-0123456789'
/** Lets the client have the link. */
export const byLink = { request_context: JSON.stringify({ channel: 'link', login_hint_type: 'email' }) }

export interface ProviderHostOptions {
  /** Changes of our options. */
  readonly ciba?: Partial<CibaFeatureOptions>
  /** Changes of oidc-provider's. */
  readonly provider?: Configuration
  /** Where both are mounted. */
  readonly prefix?: string
  /** Changes of the one client's metadata. */
  readonly client?: Record<string, unknown>
}

/** An oidc-provider with our complement on a free loopback port. A visitor is whoever the header `x-user` names. */
export async function startProvider({
  ciba: options = {},
  provider: configuration = {},
  client = {},
  prefix = '',
}: ProviderHostOptions = {}) {
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const events: BackchannelEvent[] = []
  const notices: Notice[] = []
  const rows = new Map<string, AdapterPayload>()
  const ciba = createCibaFeature({
    errors,
    issuer: origin + prefix,
    secret: 'a-secret-of-the-tests-0123456789-0123456789',
    users: { find: ({ hint: { value } }) => users.find(({ sub, email }) => sub === value || email === value) },
    session: {
      current: ({ req }) => {
        const sub = req.get('x-user')
        return sub === undefined
          ? undefined
          : { sub, authTime: Math.floor(Date.now() / 1000), acr: 'urn:test:pwd', amr: ['pwd'] }
      },
      loginUrl: () => '/login',
    },
    channels: [
      { name: 'link', returnsLink: true, address: () => '', send: () => {} },
      { name: 'sms', address: (user) => user.phone_number, send: (notice) => void notices.push(notice) },
    ],
    limits: false,
    logger: { info() {}, warn() {}, error() {} },
    onEvent: (event) => events.push(event),
    ...options,
  })
  const provider = new Provider(origin + prefix, {
    adapter: (model) => rowsOf(rows, model),
    clients: [
      {
        client_id: 'till',
        client_name: 'Corner Bank till',
        client_secret: secret,
        redirect_uris: [],
        response_types: [],
        grant_types: [cibaGrantType],
        backchannel_token_delivery_mode: 'poll',
        ...client,
      },
    ],
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, email: `${sub}@example.com` }) }),
    ttl: { BackchannelAuthenticationRequest: 600, AccessToken: 600, IdToken: 600, Grant: 600, RefreshToken: 600 },
    ...configuration,
    features: { devInteractions: { enabled: false }, ...configuration.features, ciba: ciba.feature },
  })
  app.use(prefix || '/', ciba.routerFor(provider))
  app.use(prefix || '/', provider.callback())
  const { post } = clientOf({ origin: origin + prefix })
  const basic = { authorization: `Basic ${Buffer.from(`till:${secret}`).toString('base64')}` }
  const poll = (auth_req_id: string) => post('/token', { grant_type: cibaGrantType, auth_req_id }, basic)

  return {
    origin,
    app,
    ciba,
    provider,
    events,
    notices,
    /** What oidc-provider has stored, by model and id. */
    rows,
    ask: (form: Record<string, string> = {}): Promise<Answer> =>
      post('/backchannel', { scope: 'openid', login_hint: 'alice@example.com', ...byLink, ...form }, basic),
    post: (path: string, form: Record<string, string>) => post(path, form, basic),
    poll,
    /** Polls until there is a result. */
    async result(authReqId: string): Promise<Answer> {
      let answer = await poll(authReqId)
      await until(async () => {
        if (answer.body.error === 'authorization_pending') answer = await poll(authReqId)
        return answer.body.error !== 'authorization_pending'
      })
      return answer
    },
    async answer(link: string, action: string, sub = 'alice'): Promise<string> {
      const device = deviceOf(sub)
      const page = await device.open(link)
      const { status } = await device.press(page, action)
      if (status !== 303) throw new Error(`the page said ${status}`)
      return page.html
    },
    async close() {
      await ciba.backchannel.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type ProviderHost = Awaited<ReturnType<typeof startProvider>>

/** Claims of a JWT, unchecked. */
export function claimsIn(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}

/** A table of oidc-provider. It hands out copies, as a database would. */
function rowsOf(rows: Map<string, AdapterPayload>, model: string): Adapter {
  const key = (id: string) => `${model}:${id}`
  return {
    upsert: async (id, payload) => void rows.set(key(id), structuredClone(payload)),
    find: async (id) => structuredClone(rows.get(key(id))),
    async consume(id) {
      const row = rows.get(key(id))
      if (row !== undefined) row.consumed = Math.floor(Date.now() / 1000)
    },
    destroy: async (id) => void rows.delete(key(id)),
    revokeByGrantId: async () => {},
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  }
}
