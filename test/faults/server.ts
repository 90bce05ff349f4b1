/** One process of a login server: `fleet.ts` forks it with its settings as JSON, and hears its port. */
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createBackchannelRouter } from 'express-ciba'
import { openStore, type StoreSettings } from './backends.ts'
import { withSteps } from './steps.ts'

export interface ServerSettings {
  readonly store: StoreSettings
  readonly secret: string
  // biome-ignore lint/suspicious/noExplicitAny: a JWK Set, as JSON
  readonly keys: any
  /** Wait at every step of the store until the parent says go. */
  readonly steps: boolean
}

const settings: ServerSettings = JSON.parse(process.argv[2] ?? '')
const opened = await openStore(settings.store)
const waiting: (() => void)[] = []
process.on('message', (message) => {
  if (message !== 'heap') return waiting.shift()?.()
  globalThis.gc?.()
  process.send?.({ heap: process.memoryUsage().heapUsed })
})
process.on('disconnect', () => process.exit())

const announce = (step: string) =>
  new Promise<void>((resolve) => {
    waiting.push(resolve)
    process.send?.({ step })
  })

const app = express()
app.use(
  createBackchannelRouter({
    issuer: 'https://login.example.com',
    keys: settings.keys,
    secret: settings.secret,
    clients: {
      find: ({ clientId: id }) => ({
        client_id: id,
        client_secret: `secret-of-${id}-0123456789-0123456789`,
        grant_types: ['urn:openid:params:grant-type:ciba'],
        backchannel_token_delivery_mode: 'poll',
      }),
    },
    users: { find: ({ hint: { value } }) => ({ sub: value }) },
    session: {
      current: () => undefined,
      loginUrl: () => '/login',
      verifyToken: ({ token }) => ({ sub: token }),
    },
    channels: [{ name: 'link', returnsLink: true, address: () => '', send: () => {} }],
    store: settings.steps ? withSteps(opened, announce) : opened,
    polling: { intervalSeconds: 1 },
    requests: { maxExpirySeconds: 86_400 },
    limits: false,
    logger: { info() {}, warn() {}, error() {} },
  }),
)
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
