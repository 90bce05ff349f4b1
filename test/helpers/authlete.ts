import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Authlete } from '@authlete/typescript-sdk'
import type {
  BackchannelAuthenticationCompleteRequest,
  BackchannelAuthenticationCompleteResponse,
  BackchannelAuthenticationFailRequestReason,
  BackchannelAuthenticationIssueResponse,
  BackchannelAuthenticationResponse,
} from '@authlete/typescript-sdk/models'
import express, { type Express, type Response } from 'express'
import { type Backchannel, type BackchannelEvent, type BackchannelOptions, createBackchannel } from 'express-ciba'
import { createManagementRouter, type ManagementOptions } from 'express-ciba/authlete'
import { clients, users } from './host.ts'

export const serviceId = '715948317'
export const bearer = 'service-access-token-0123456789'

/** An authorization server that keeps nothing: every step is a call of Authlete's SDK to our management API. */
export interface AuthleteHost {
  /** Of the authorization server. */
  readonly origin: string
  /** Of the management API. */
  readonly api: string
  readonly backchannel: Backchannel
  readonly events: BackchannelEvent[]
  readonly sdk: Authlete
  /** The ticket of each request that was issued, by its `auth_req_id`. */
  readonly tickets: Map<string, string>
  /** Moves the clock forward. */
  pass(seconds: number): void
  authenticate(parameters: Record<string, string> | string, more?: object): Promise<BackchannelAuthenticationResponse>
  issue(ticket: string): Promise<BackchannelAuthenticationIssueResponse>
  fail(
    ticket: string,
    reason: BackchannelAuthenticationFailRequestReason,
    more?: object,
  ): ReturnType<Authlete['ciba']['fail']>
  complete(
    completion: Partial<BackchannelAuthenticationCompleteRequest> & { ticket: string },
  ): Promise<BackchannelAuthenticationCompleteResponse>
  token(parameters: Record<string, string> | string, more?: object): ReturnType<Authlete['token']['process']>
  /** A bare call of an API, by its path behind the service. Says the status and the body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  post(path: string, body: object | string | URLSearchParams, headers?: Record<string, string>): Promise<[number, any]>
  close(): Promise<void>
}

export interface AuthleteHostOptions extends Partial<BackchannelOptions> {
  readonly management?: Partial<ManagementOptions>
}

/** `agent` authenticates by `client_secret_post`, so its credentials are among the parameters. */
const credentials = { client_id: 'agent', client_secret: 'agent-secret-0123456789-0123456789' }

export async function startAuthlete({ management, ...options }: AuthleteHostOptions = {}): Promise<AuthleteHost> {
  const app = express()
  const apiApp = express()
  const [server, apiServer] = await Promise.all([listen(app), listen(apiApp)])
  const [origin, api] = [originOf(server), originOf(apiServer)]
  const events: BackchannelEvent[] = []
  let offset = 0
  const backchannel = createBackchannel({
    issuer: origin,
    clients: { find: ({ clientId: id }) => clients.find((client) => client.client_id === id) },
    users: { find: () => undefined },
    paths: { backchannel: '/bc', token: '/token', jwks: '/jwks' },
    limits: false,
    logger: { info() {}, warn() {}, error() {} },
    onEvent: (event) => events.push(event),
    clock: () => Date.now() + offset,
    ...options,
  })
  apiApp.use(createManagementRouter(backchannel, { authorize: ({ token }) => token === bearer, ...management }))
  const sdk = new Authlete({ bearer, serverURL: api })
  const host: AuthleteHost = {
    origin,
    api,
    backchannel,
    events,
    sdk,
    tickets: new Map(),
    pass: (seconds) => {
      offset += seconds * 1000
    },
    authenticate: (parameters, more = {}) =>
      sdk.ciba.processAuthentication({
        serviceId,
        backchannelAuthenticationRequest: { parameters: formOf(parameters), ...more },
      }),
    issue: (ticket) => sdk.ciba.issue({ serviceId, backchannelAuthenticationIssueRequest: { ticket } }),
    fail: (ticket, reason, more = {}) =>
      sdk.ciba.fail({ serviceId, backchannelAuthenticationFailRequest: { ticket, reason, ...more } }),
    complete: (completion) =>
      sdk.ciba.complete({
        serviceId,
        backchannelAuthenticationCompleteRequest: { result: 'AUTHORIZED', subject: 'alice', ...completion },
      }),
    token: (parameters, more = {}) =>
      sdk.token.process({ serviceId, tokenRequest: { parameters: formOf(parameters), ...more } }),
    async post(path, body, headers = {}) {
      const json = !(body instanceof URLSearchParams)
      const response = await fetch(`${api}/api/${serviceId}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${bearer}`,
          ...(json ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        body: !json || typeof body === 'string' ? body : JSON.stringify(body),
      })
      return [response.status, await response.json()]
    },
    async close() {
      await backchannel.close()
      await Promise.all([server, apiServer].map(stop))
    },
  }
  serve(app, host)
  return host
}

/** The two endpoints as Authlete documents them, action by action. */
function serve(app: Express, host: AuthleteHost): void {
  const text = express.text({ type: '*/*' })
  app.get('/.well-known/openid-configuration', (_req, res) => res.json(host.backchannel.metadata()))
  app.get('/jwks', (_req, res) => res.json(host.backchannel.jwks()))

  app.post('/bc', text, async (req, res) => {
    const received = await host.authenticate(bodyOf(req.body), credentialsOf(req.headers.authorization))
    const { action, responseContent, ticket = '' } = received
    if (action !== 'USER_IDENTIFICATION') {
      const status = { BAD_REQUEST: 400, UNAUTHORIZED: 401, INTERNAL_SERVER_ERROR: 500 }[action ?? 'BAD_REQUEST']
      if (status === 401) res.set('WWW-Authenticate', 'Basic realm="backchannel/authentication"')
      return send(res, status, responseContent)
    }
    const wanted = received.sub ?? received.hint
    const user = users.find(({ sub, email }) => sub === wanted || email === wanted)
    if (user === undefined) {
      const failed = await host.fail(ticket, 'UNKNOWN_USER_ID')
      const status = { BAD_REQUEST: 400, FORBIDDEN: 403, INTERNAL_SERVER_ERROR: 500 }[failed.action ?? 'BAD_REQUEST']
      return send(res, status, failed.responseContent)
    }
    const issued = await host.issue(ticket)
    if (issued.action === 'OK') host.tickets.set(issued.authReqId ?? '', ticket)
    send(res, issued.action === 'OK' ? 200 : 500, issued.responseContent)
  })

  app.post('/token', text, async (req, res) => {
    const answer = await host.token(bodyOf(req.body), credentialsOf(req.headers.authorization))
    const statuses: Record<string, number> = { OK: 200, BAD_REQUEST: 400, INVALID_CLIENT: 401 }
    const status = statuses[answer.action ?? ''] ?? 500
    if (status === 401) res.set('WWW-Authenticate', 'Basic realm="token"')
    send(res, status, answer.responseContent)
  })
}

function send(res: Response, status: number, content: string | undefined): void {
  res.status(status).set({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' })
  res.send(content)
}

/** User and password as they stand in the header, the way Authlete's own handlers take it apart. */
function credentialsOf(authorization = ''): object {
  const [, encoded] = /^Basic (.+)$/.exec(authorization) ?? []
  if (encoded === undefined) return {}
  const [clientId, clientSecret] = Buffer.from(encoded, 'base64').toString().split(/:(.*)/s)
  return { clientId, clientSecret }
}

function bodyOf(body: unknown): string {
  return typeof body === 'string' ? body : ''
}

function formOf(parameters: Record<string, string> | string): string {
  if (typeof parameters === 'string') return parameters
  return new URLSearchParams({ ...credentials, ...parameters }).toString()
}

async function listen(app: Express): Promise<Server> {
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return server
}

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
