import { readFileSync } from 'node:fs'
import express from 'express'
import { createBackchannelRouter, inProcessQueue, linkChannel, type User } from 'express-ciba'
import { approveRoute } from './approve.ts'
import type { Config } from './config.ts'
import { authorizeRoute, discoveryRoute } from './discovery.ts'
import { heldQueue } from './heldQueue.ts'
import { listen } from './listen.ts'
import { registration } from './register.ts'
import { resourceRoute } from './resource.ts'
import { openStore } from './store.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** Starts the provider and describes it. */
export async function startProvider(config: Config) {
  const app = express().disable('x-powered-by')
  const { baseUrl, mtlsUrl = baseUrl, close } = await listen(app, config)
  const issuer = config.issuer ?? baseUrl

  const clients = new Map(config.clients.map((client) => [client.client_id, client]))
  const bySubject = new Map(config.users.map((user) => [user.sub, user]))
  const byHint = new Map(config.users.flatMap((user) => namesOf(user).map((name) => [name, user] as const)))

  const opened = await openStore(config.store)
  const { queue, hold } = heldQueue(inProcessQueue())

  const router = createBackchannelRouter({
    issuer,
    baseUrl,
    ...(mtlsUrl === baseUrl ? {} : { mtlsBaseUrl: mtlsUrl }),
    clients: { find: ({ clientId }) => clients.get(clientId) },
    users: {
      find: ({ hint }) => (hint.type === 'sub' ? bySubject : byHint).get(hint.value),
      claims: ({ sub }) => bySubject.get(sub) ?? {},
    },
    session: {
      current: () => undefined,
      loginUrl: ({ returnTo }) => `/login?next=${encodeURIComponent(returnTo)}`,
    },
    channels: [linkChannel()],
    tokens: { issueRefreshToken: ({ client }) => client.grant_types?.includes('refresh_token') ?? false },
    ...(opened.store === undefined ? {} : { store: opened.store }),
    // one user is asked thousands of times here
    limits: false,
    logger: { info() {}, warn() {}, error() {} },
    ...config.options,
    delivery: { queue, ...config.options.delivery },
  })
  const { backchannel } = router
  const [acr] = config.options.requests?.acrValues ?? []
  app.get(
    '/.well-known/openid-configuration',
    discoveryRoute(backchannel, {
      authorization_endpoint: `${baseUrl}/authorize`,
      ...(config.registration ? { registration_endpoint: `${baseUrl}/register` } : {}),
    }),
  )
  app.get('/authorize', authorizeRoute)
  if (config.approve) app.all('/approve', approveRoute(backchannel, { hold, acr }))
  app.use(router)
  const resources = [baseUrl, mtlsUrl].map((url) => `${url}/resource`)
  app.get('/resource', resourceRoute({ issuer, jwks: backchannel.jwks(), urls: resources }))
  if (config.registration) app.use('/register', registration({ ...backchannel, clients, url: `${baseUrl}/register` }))

  const metadata = backchannel.metadata() as Record<string, unknown>
  const [user] = config.users
  return {
    description: {
      name: 'express-ciba',
      version,
      pid: process.pid,
      baseUrl,
      issuer,
      discovery_url: `${baseUrl}/.well-known/openid-configuration`,
      backchannel_authentication_endpoint: metadata.backchannel_authentication_endpoint,
      token_endpoint: metadata.token_endpoint,
      jwks_uri: metadata.jwks_uri,
      resource_url: resources.at(-1),
      approve_url: config.approve ? `${baseUrl}/approve?auth_req_id={auth_req_id}&action={action}` : null,
      scope: 'openid',
      ...(acr === undefined ? {} : { acr_value: acr }),
      login_hint: user?.email ?? user?.sub,
      users: config.users.map(({ sub, email, phone_number }) => ({ sub, email, phone_number })),
      id_token_alg: (metadata.id_token_signing_alg_values_supported as string[])[0],
      poll_interval: config.options.polling?.intervalSeconds ?? 5,
      clients: config.clients,
    },
    async close(): Promise<void> {
      await close()
      await backchannel.close()
      await opened.close()
    },
  }
}

function namesOf(user: User): string[] {
  return [user.sub, user.email, user.phone_number].filter((name) => name !== undefined)
}
