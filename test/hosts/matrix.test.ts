import { expect } from 'chai'
import compression from 'compression'
import cors from 'cors'
import express, { type Express } from 'express'
import { createBackchannelRouter, linkChannel, memoryStore } from 'express-ciba'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import { decodeJwt } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, type HostOptions, startHost, users } from '../helpers/host.ts'

const byLink = {
  scope: 'openid',
  login_hint: 'alice',
  request_context: '{"channel":"link","login_hint_type":"user_id"}',
}

describe('in a server with', () => {
  let host: Host
  afterEach(() => host.close())

  const middleware: Record<string, HostOptions['before']> = {
    helmet: [helmet()],
    'helmet, and a policy of its own': [helmet({ contentSecurityPolicy: { directives: { defaultSrc: ["'self'"] } } })],
    compression: [compression({ threshold: 0 })],
    cors: [cors()],
    'a rate limit': [rateLimit({ windowMs: 60_000, limit: 1000, validate: false })],
    'body parsers': [express.json(), express.urlencoded({ extended: true }), express.text(), express.raw()],
    'all of them': [
      helmet(),
      compression({ threshold: 0 }),
      cors(),
      rateLimit({ windowMs: 60_000, limit: 1000, validate: false }),
      express.json(),
      express.urlencoded({ extended: false }),
    ],
  }
  for (const [name, before] of Object.entries(middleware)) {
    it(`${name} before it: request, page, decision and tokens are as without`, async () => {
      host = await startHost({ before: before ?? [] })
      const client = clientOf(host)
      const { body } = await client.start(byLink)
      const device = deviceOf('alice')
      const page = await device.open(body.link)
      expect(page.response.headers.get('content-security-policy')).to.match(/^default-src 'none'; style-src 'sha256-/)
      expect(page.response.headers.get('x-frame-options')).to.equal('DENY')
      expect(page.html).to.include('Corner Bank till')
      expect((await device.press(page, 'approve')).status).to.equal(303)
      const { status, headers, body: tokens } = await client.poll(body.auth_req_id)
      expect([status, headers.get('cache-control')]).to.deep.equal([200, 'no-store'])
      expect(decodeJwt(tokens.id_token).sub).to.equal('alice')
      const early = await client.poll(body.auth_req_id)
      expect([early.status, early.body.error]).to.deep.equal([400, 'invalid_grant'])
    })
  }

  it('a proxy that it trusts: links, metadata and the decision follow the configuration, not the headers', async () => {
    const issuer = 'https://login.example.com'
    host = await startHost({
      issuer,
      before: [(req, _res, next) => next(void req.app.set('trust proxy', true))],
    })
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', 'x-forwarded-for': '203.0.113.1' }
    const client = clientOf(host)
    const { body } = await client.start(byLink, { authorization: client.basic, ...forged })
    expect(body.link).to.match(/^https:\/\/login\.example\.com\/auth\/backchannel\/approve\?r=/)
    const behind = body.link.replace(issuer, host.origin)
    const device = deviceOf('alice')
    const opened = await device.go(behind, { headers: forged })
    expect(opened.headers.get('location')).to.match(/^https:\/\/login\.example\.com\//)
    expect(opened.headers.get('set-cookie')).to.include('; Secure')
    const url = String(opened.headers.get('location')).replace(issuer, host.origin)
    const page = { url, html: await (await device.go(url, { headers: forged })).text() }
    expect((await device.press(page, 'approve', { origin: 'http://evil.example' })).status).to.equal(403)
    expect((await device.press(page, 'approve', { origin: issuer, ...forged })).status).to.equal(303)
    expect((await client.poll(body.auth_req_id)).status).to.equal(200)
  })
})

describe('two issuers in one app', () => {
  let app: Express
  let close: () => Promise<void>
  let origin: string
  before(async () => {
    app = express()
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`
    const store = memoryStore()
    const routers = ['/one', '/two'].map((prefix) => {
      const router = createBackchannelRouter({
        issuer: origin + prefix,
        clients: { find: ({ clientId: id }) => clients.find((client) => client.client_id === id) },
        users: { find: ({ hint: { value } }) => users.find(({ sub }) => sub === value) },
        session: {
          current: ({ req }) => ({ sub: String(req.get('x-user')), authTime: Math.floor(Date.now() / 1000) }),
          loginUrl: () => '/login',
        },
        channels: [linkChannel()],
        limits: false,
        store,
        logger: { info() {}, warn() {}, error() {} },
      })
      app.use(prefix, router)
      return router
    })
    close = async () => {
      for (const { backchannel } of routers) await backchannel.close()
      await new Promise((resolve) => server.close(resolve))
    }
  })
  after(() => close())

  it('serve their own clients, and know nothing of each other’s requests', async () => {
    const [one, two] = ['/one', '/two'].map((prefix) => clientOf({ origin }, prefix)) as [
      ReturnType<typeof clientOf>,
      ReturnType<typeof clientOf>,
    ]
    const first = (await one.start(byLink)).body
    const second = (await two.start(byLink)).body
    expect(first.link).to.include(`${origin}/one/`)
    expect(second.link).to.include(`${origin}/two/`)
    const device = deviceOf('alice')
    expect((await device.open(first.link.replace('/one/', '/two/'))).response.status).to.equal(404)
    await device.press(await device.open(first.link), 'approve')
    expect((await two.poll(first.auth_req_id)).body.error).to.equal('invalid_grant')
    const { body } = await one.poll(first.auth_req_id)
    expect(decodeJwt(body.id_token).iss).to.equal(`${origin}/one`)
    expect((await two.poll(second.auth_req_id)).body.error).to.equal('authorization_pending')
    const metadata = await (await fetch(`${origin}/two/.well-known/openid-configuration`)).json()
    expect((metadata as { token_endpoint: string }).token_endpoint).to.equal(`${origin}/two/oidc/token`)
  })
})
