import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express, type RequestHandler } from 'express'
import {
  type BackchannelEvent,
  type BackchannelOptions,
  type BackchannelRouter,
  type ClientMetadata,
  createBackchannelRouter,
  type Notice,
  type User,
} from 'express-ciba'

/** The users every test host knows. */
export const users: readonly User[] = [
  { sub: 'alice', name: 'Alice', email: 'alice@example.com', email_verified: true, phone_number: '+15550100' },
  { sub: 'bob', name: 'Bob', email: 'bob@example.com', email_verified: true, phone_number: '+15550101' },
]

/** The clients every test host knows. */
export const clients: readonly ClientMetadata[] = [
  {
    client_id: 'till',
    client_name: 'Corner Bank till',
    client_secret: 'till-secret-0123456789-0123456789',
    grant_types: ['urn:openid:params:grant-type:ciba'],
    backchannel_token_delivery_mode: 'poll',
  },
  {
    client_id: 'agent',
    client_name: 'Call centre',
    client_secret: 'agent-secret-0123456789-0123456789',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['urn:openid:params:grant-type:ciba'],
    backchannel_token_delivery_mode: 'poll',
  },
  { client_id: 'web', client_secret: 'web-secret-0123456789-0123456789', grant_types: ['authorization_code'] },
]

export interface HostOptions extends Partial<BackchannelOptions> {
  /** Mounted before the router. */
  readonly before?: readonly RequestHandler[]
  /** Mounted after the router. */
  readonly after?: (app: Express) => void
  /** Where the router is mounted. */
  readonly prefix?: string
}

/** An Express login server with CIBA added, listening on a free loopback port. */
export interface Host {
  readonly origin: string
  readonly router: BackchannelRouter
  /** Everything that happened, in order. */
  readonly events: BackchannelEvent[]
  /** Notices that the outbox channel took. */
  readonly notices: Notice[]
  /** Moves the server's clock forward. */
  pass(seconds: number): void
  close(): Promise<void>
}

/**
 * Starts a host. A visitor is whoever the header `x-user` names; an access token is `token-of-<sub>`.
 * The channel `sms` keeps its notices; `link` is there as well. Users may be asked without limit.
 */
export async function startHost(options: HostOptions = {}): Promise<Host> {
  const { before = [], after, prefix = '', ...given } = options
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const events: BackchannelEvent[] = []
  const notices: Notice[] = []
  let offset = 0
  const all: BackchannelOptions = {
    issuer: origin + prefix,
    clients: { find: ({ clientId: id }) => clients.find((client) => client.client_id === id) },
    users: { find: ({ hint }) => users.find((user) => matches(user, hint.value)) },
    session: {
      current: ({ req }) => {
        const sub = req.get('x-user')
        return sub === undefined
          ? undefined
          : { sub, authTime: Math.floor(Date.now() / 1000), acr: 'urn:test:pwd', amr: ['pwd'] }
      },
      loginUrl: ({ returnTo }) => `/login?next=${encodeURIComponent(returnTo)}`,
      verifyToken: ({ token }) =>
        token.startsWith('token-of-') ? { sub: token.slice('token-of-'.length) } : undefined,
    },
    channels: [
      { name: 'sms', address: (user) => user.phone_number, send: (notice) => void notices.push(notice) },
      { name: 'link', returnsLink: true, address: () => '', send: () => {} },
    ],
    limits: false,
    logger: { info() {}, warn() {}, error() {} },
    onEvent: (event) => events.push(event),
    clock: () => Date.now() + offset,
  }
  const router = await createOrStop(withGroups(all, given), server)
  for (const handler of before) app.use(handler)
  app.use(prefix || '/', router)
  after?.(app)
  return {
    origin,
    router,
    events,
    notices,
    pass: (seconds) => {
      offset += seconds * 1000
    },
    async close() {
      await router.backchannel.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const groups = [
  'requests',
  'polling',
  'clientAuth',
  'notices',
  'page',
  'approval',
  'tokens',
  'delivery',
  'interop',
] as const

/** Options with others on top: groups grow together, everything else is replaced. */
export function withGroups<Base extends Partial<BackchannelOptions>>(
  base: Base,
  over: Partial<BackchannelOptions>,
): Base {
  const merged: Record<string, unknown> = { ...base, ...over }
  for (const group of groups) {
    if (base[group] !== undefined && over[group] !== undefined) merged[group] = { ...base[group], ...over[group] }
  }
  return merged as Base
}

/** Every budget switched off, to switch single ones on again. */
export const noLimits = {
  promptsPerUser: 0,
  promptsPerClientAndUser: 0,
  noticesPerDestination: 0,
  noticesPerDestinationAndDay: 0,
  requestsPerClient: 0,
  failedHintsPerClient: 0,
  failedAuthentications: 0,
  denialSeconds: 0,
  openRequestsPerUser: 0,
} as const

/** Options that stop the start leave nothing listening. */
async function createOrStop(options: BackchannelOptions, server: Server): Promise<BackchannelRouter> {
  try {
    return createBackchannelRouter(options)
  } catch (thrown) {
    await new Promise((resolve) => server.close(resolve))
    throw thrown
  }
}

function matches(user: User, value: string): boolean {
  return [user.sub, user.email, user.phone_number].includes(value)
}
