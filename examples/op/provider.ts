import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createBackchannelRouter, type Hint, linkChannel, type User } from 'express-ciba'
import { approveRoute } from './approve.ts'
import type { Config } from './config.ts'
import { resourceRoute } from './resource.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** Starts the provider and describes it. */
export async function startProvider(config: Config) {
  const app = express().disable('x-powered-by')
  const server = app.listen(config.port, config.host)
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const baseUrl = `http://${config.host}:${(server.address() as AddressInfo).port}`
  const issuer = config.issuer ?? baseUrl

  const clients = new Map(config.clients.map((client) => [client.client_id, client]))
  const bySubject = new Map(config.users.map((user) => [user.sub, user]))
  const byHint = new Map(config.users.flatMap((user) => namesOf(user).map((name) => [name, user] as const)))

  const router = createBackchannelRouter({
    issuer,
    baseUrl,
    clients: (clientId) => clients.get(clientId),
    users: {
      find: (hint: Hint) => (hint.type === 'sub' ? bySubject : byHint).get(hint.value),
      claims: (sub) => bySubject.get(sub) ?? {},
    },
    session: {
      current: () => undefined,
      loginUrl: (returnTo) => `/login?next=${encodeURIComponent(returnTo)}`,
    },
    channels: [linkChannel()],
    logger: { info() {}, warn() {}, error() {} },
    ...config.options,
  })
  const { backchannel } = router
  app.use(router)
  app.get('/resource', resourceRoute({ issuer, jwks: backchannel.jwks() }))
  if (config.approve) app.all('/approve', approveRoute(backchannel))

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
      resource_url: `${baseUrl}/resource`,
      approve_url: config.approve ? `${baseUrl}/approve?auth_req_id={auth_req_id}&action={action}` : null,
      scope: 'openid',
      login_hint: user?.email ?? user?.sub,
      users: config.users.map(({ sub, email, phone_number }) => ({ sub, email, phone_number })),
      id_token_alg: (metadata.id_token_signing_alg_values_supported as string[])[0],
      poll_interval: config.options.intervalSeconds ?? 5,
      clients: config.clients,
    },
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await backchannel.close()
    },
  }
}

function namesOf(user: User): string[] {
  return [user.sub, user.email, user.phone_number].filter((name) => name !== undefined)
}
