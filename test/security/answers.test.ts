import { expect } from 'chai'
import { type BackchannelOptions, memoryStore } from 'express-ciba'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { type Host, startHost, users } from '../helpers/host.ts'

const words = 'the library said: password=hunter2'
const broken = () => {
  throw new TypeError(words)
}

describe('what answers give away', () => {
  let host: Host
  afterEach(() => host.close())
  const ask = { scope: 'openid', login_hint: 'alice' }

  const hooks: Record<string, Partial<BackchannelOptions>> = {
    clients: { clients: { find: broken } },
    'users.find': { users: { find: broken } },
    'users.isActive': { users: { find: () => users[0], isActive: broken } },
    store: { store: { ...memoryStore(), add: broken, poll: broken } },
    limiter: { limits: { promptsPerUser: 1, counter: () => ({ consume: broken, get: broken }) as never } },
    bindingMessage: { requests: { bindingMessage: broken } },
    issueTokens: { tokens: { issue: broken } },
  }
  for (const [name, options] of Object.entries(hooks)) {
    it(`threat 52: ${name} that throws is an error of the server with two members, and none of its words`, async () => {
      host = await startHost(options)
      const client = clientOf(host)
      const answers = [await client.start({ ...ask, binding_message: 'W4SCT' })]
      if (answers[0]?.status === 200) {
        await client.complete({ auth_req_id: answers[0].body.auth_req_id, approved: true })
        answers.push(await client.poll(answers[0].body.auth_req_id))
      }
      const last = answers.at(-1)
      expect(last?.status).to.be.oneOf([500, 503])
      expect(Object.keys(last?.body)).to.have.members(['error', 'error_description'])
      for (const { body } of answers) expect(JSON.stringify(body)).not.to.include('hunter2').and.not.to.include('.ts')
    })
  }

  it('threat 52: a session that throws is a page that says nothing of it', async () => {
    host = await startHost({ session: { current: broken, loginUrl: () => '/login' } })
    const { body } = await clientOf(host).start({
      ...ask,
      request_context: '{"channel":"link","login_hint_type":"user_id"}',
    })
    const { response, html } = await deviceOf('alice').open(body.link)
    expect([response.status, response.headers.get('retry-after')]).to.deep.equal([503, '5'])
    expect(html).not.to.include('hunter2').and.not.to.include('TypeError')
  })

  it('threat 56: nothing with a handle or a token may be cached, or read by another origin', async () => {
    host = await startHost()
    const client = clientOf(host)
    const started = await client.start()
    const origin = { authorization: client.basic, origin: 'https://evil.example' }
    const answers = [
      started,
      await client.start(undefined, origin),
      await client.poll(started.body.auth_req_id, origin),
      await client.poll('x', origin),
      await client.post('/oidc/introspect', { token: 'x' }, origin),
      await client.complete({ auth_req_id: started.body.auth_req_id, approved: true }),
    ]
    for (const { headers } of answers) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).to.deep.equal([])
    }
    for (const { headers, status } of answers.filter(({ status }) => status !== 404)) {
      expect(headers.get('cache-control'), String(status)).to.equal('no-store')
    }
    for (const path of ['/oidc/backchannel', '/oidc/token']) {
      const preflight = await fetch(host.origin + path, {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      })
      expect(preflight.headers.get('access-control-allow-origin')).to.equal(null)
    }
  })

  it('threat 57: what needs a hook of the host is not there without it', async () => {
    host = await startHost({ session: { current: () => undefined, loginUrl: () => '/login' } })
    expect((await clientOf(host).complete({ auth_req_id: 'x', approved: true })).status).to.equal(404)
    const { createManagementRouter } = await import('express-ciba/authlete')
    expect(() => createManagementRouter(host.router.backchannel, {} as never)).to.throw(TypeError, /authorize/)
  })

  it('threat 57: unknown requests are all answered alike', async () => {
    host = await startHost()
    const client = clientOf(host)
    const answers = []
    for (const auth_req_id of ['x', 'A'.repeat(59), 'A'.repeat(10_000)]) {
      const { status, body } = await client.complete({ auth_req_id, approved: true })
      answers.push({ status, body })
    }
    expect(new Set(answers.map((each) => JSON.stringify(each))).size).to.equal(1)
  })

  it('threat 49: after a crash between the redemption and the answer the client starts anew, and nobody has two sets', async () => {
    const store = memoryStore()
    let crashed = false
    host = await startHost({
      store: {
        ...store,
        async move(id, move) {
          const result = await store.move(id, move)
          if (move.to !== 'redeemed' || crashed) return result
          crashed = true
          throw new Error('the connection was lost after the move')
        },
      },
    })
    const client = clientOf(host)
    const { body } = await client.start()
    await client.complete({ auth_req_id: body.auth_req_id, approved: true })
    expect((await client.poll(body.auth_req_id)).status).to.equal(503)
    const again = await client.poll(body.auth_req_id)
    expect([again.status, again.body.error]).to.deep.equal([400, 'invalid_grant'])
    expect((await client.start()).status).to.equal(200)
  })
})
