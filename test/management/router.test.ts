import { expect } from 'chai'
import express from 'express'
import { createBackchannel, memoryStore } from 'express-ciba'
import { createManagementRouter, type ManagementOptions } from 'express-ciba/authlete'
import { type AuthleteHost, bearer, serviceId, startAuthlete } from '../helpers/authlete.ts'
import { clients } from '../helpers/host.ts'

const issue = '/backchannel/authentication/issue'

describe('createManagementRouter', () => {
  const engine = createBackchannel({
    issuer: 'https://login.example.com',
    clients: { find: () => undefined },
    users: { find: () => undefined },
    store: memoryStore(),
    logger: { info() {}, warn() {}, error() {} },
  })
  after(() => engine.close())

  it('does not start without authorize', () => {
    for (const options of [undefined, {}, { authorize: 'Bearer x' }]) {
      expect(() => createManagementRouter(engine, options as never)).to.throw(
        TypeError,
        'option "authorize" is missing',
      )
    }
  })

  it('knows its options', () => {
    const options = { authorize: () => true, servceId: '1' } as unknown as ManagementOptions
    expect(() => createManagementRouter(engine, options)).to.throw(TypeError, 'does not know the option "servceId"')
  })
})

describe('the management API', () => {
  let host: AuthleteHost
  let failing = false
  const seen: unknown[] = []
  before(async () => {
    host = await startAuthlete({
      store: {
        ...memoryStore(),
        find: async () => {
          throw new Error('away')
        },
      },
      management: {
        authorize: (call) => {
          if (failing) throw new Error('away')
          seen.push(call)
          return call.token === bearer
        },
      },
    })
  })
  after(() => host?.close())

  it('asks the host about the bearer token, and nobody else', async () => {
    await host.post(issue, { ticket: 'x' })
    expect(seen.at(-1)).to.deep.equal({ token: bearer, serviceId })
    for (const authorization of ['', 'Basic YTpi', `Bearer ${bearer} x`]) {
      const before = seen.length
      expect((await host.post(issue, {}, { authorization }))[0]).to.equal(401)
      expect(seen.length).to.equal(before)
    }
  })

  it('says 401 before it reads a body, and challenges', async () => {
    const response = await fetch(`${host.api}/api/${serviceId}${issue}`, {
      method: 'POST',
      headers: { authorization: 'Bearer wrong', 'content-type': 'application/json' },
      body: 'not JSON',
    })
    expect(response.status).to.equal(401)
    expect(response.headers.get('www-authenticate')).to.equal('Bearer error="invalid_token"')
    expect(await response.json()).to.include({ resultCode: 'A001202' })
  })

  it('says 500 when the host cannot tell', async () => {
    failing = true
    const [status, answer] = await host.post(issue, {})
    failing = false
    expect([status, answer.resultCode]).to.deep.equal([500, 'A001101'])
    expect(answer.resultMessage).not.to.contain('away')
  })

  it('refuses what is no object, too large, or another method', async () => {
    expect((await host.post(issue, 'not JSON'))[0]).to.equal(400)
    expect((await host.post(issue, '["x"]'))[0]).to.equal(400)
    expect((await host.post(issue, 'text', { 'content-type': 'text/plain' }))[0]).to.equal(400)
    expect((await host.post(issue, { ticket: 'x'.repeat(600_000) }))[0]).to.equal(413)
    const response = await fetch(`${host.api}/api/${serviceId}${issue}`)
    expect([response.status, response.headers.get('allow')]).to.deep.equal([405, 'POST'])
  })

  it('answers an outage with HTTP 200 and the action for it, without its text', async () => {
    const ticket = 'A'.repeat(59)
    const calls = {
      '/backchannel/authentication/issue': { ticket },
      '/backchannel/authentication/fail': { ticket, reason: 'ACCESS_DENIED' },
      '/backchannel/authentication/complete': { ticket, result: 'AUTHORIZED', subject: 'alice' },
    }
    for (const [path, body] of Object.entries(calls)) {
      const [status, answer] = await host.post(path, body)
      expect(status).to.equal(200)
      expect(answer.action).to.equal(path.endsWith('complete') ? 'SERVER_ERROR' : 'INTERNAL_SERVER_ERROR')
      expect(JSON.stringify(answer)).not.to.contain('away')
    }
  })

  it('says what is missing, or not known', async () => {
    for (const [path, body, status, message] of [
      ['issue', {}, 200, 'ticket is missing'],
      ['fail', { ticket: 'A'.repeat(59), reason: 'BAD_MOOD' }, 200, 'reason BAD_MOOD is unknown'],
      [
        'complete',
        { ticket: 'A'.repeat(59), result: 'AUTHORIZED', subject: 'alice', properties: [5] },
        200,
        'properties',
      ],
      [
        'complete',
        { ticket: 'A'.repeat(59), result: 'AUTHORIZED', subject: 'alice', scopes: '[openid' },
        400,
        'scopes',
      ],
    ] as const) {
      const [said, answer] = await host.post(`/backchannel/authentication/${path}`, body)
      expect(said).to.equal(status)
      expect(answer.resultMessage).to.include(message)
    }
    const anonymous = await fetch(`${host.api}/api/${serviceId}${issue}`, { method: 'POST' })
    expect(anonymous.status).to.equal(401)
  })

  it('tells of a mistake of the host by an event, and the caller that it is not theirs', async () => {
    const schema = {
      safeParse() {
        throw new Error('a bug')
      },
    }
    const broken = await startAuthlete({
      requests: { authorizationDetails: { transfer: schema } },
      tokens: { lifetimes: { accessTokenSeconds: () => 0 } },
    })
    const alice = { scope: 'openid', login_hint: 'alice' }
    try {
      const asked = await broken.authenticate({ ...alice, authorization_details: '[{"type":"transfer"}]' })
      expect(asked.action).to.equal('INTERNAL_SERVER_ERROR')
      const { ticket = '' } = await broken.authenticate(alice)
      const { authReqId = '' } = await broken.issue(ticket)
      // it says how long the tokens will live
      expect((await broken.complete({ ticket, result: 'AUTHORIZED', subject: 'alice' })).action).to.equal(
        'SERVER_ERROR',
      )
      const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId }
      expect((await broken.token(grant)).action).to.equal('INTERNAL_SERVER_ERROR')
      const { client_id = '', client_secret = '' } = clients[1] ?? {}
      const { status, body } = await broken.backchannel.grantFor({ parameters: { ...grant, client_id, client_secret } })
      expect([status, body.error]).to.deep.equal([500, 'server_error'])
      const troubles = broken.events.filter(({ type }) => type === 'fault' || type === 'outage')
      expect(troubles.map(({ type }) => type)).to.deep.equal(['outage', 'fault', 'fault', 'fault'])
    } finally {
      await broken.close()
    }
  })

  it('lives under a prefix, behind body parsers of the host', async () => {
    const app = express()
    const router = createManagementRouter(host.backchannel, { authorize: () => true })
    app.use(express.json(), express.urlencoded({ extended: true }))
    app.use('/internal', router)
    app.use((_req, res) => void res.status(418).end())
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const post = (path: string, body: string, type = 'application/json') =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: { authorization: 'Bearer x', 'content-type': type },
        body,
      })
    try {
      for (const answer of [
        await post(`/internal/api/1${issue}`, '{"ticket":"x"}'),
        await post(`/internal/api/1${issue}`, 'ticket=x', 'application/x-www-form-urlencoded'),
      ]) {
        expect(await answer.json()).to.include({ action: 'INVALID_TICKET' })
      }
      expect((await post('/internal/api/1/elsewhere', '{}')).status).to.equal(418)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
