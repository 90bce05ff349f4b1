import { expect } from 'chai'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

describe('POST /auth/backchannel/complete', () => {
  let host: Host
  let client: ReturnType<typeof clientOf>
  let authReqId: string
  beforeEach(async () => {
    host = await startHost()
    client = clientOf(host)
    authReqId = (await client.start()).body.auth_req_id
  })
  afterEach(() => host.close())

  const stillOpen = async () => expect((await client.poll(authReqId)).body.error).to.equal('authorization_pending')

  it('answers 204, and the same answer again is fine', async () => {
    for (let times = 0; times < 2; times++) {
      expect((await client.complete({ auth_req_id: authReqId, approved: true })).status).to.equal(204)
    }
  })

  it('may live below the page, with all other routes', async () => {
    const paths = { approve: '/ciba', complete: '/ciba/complete', token: '/ciba/token', notices: '/ciba/notices' }
    const other = await startHost({ paths })
    const answer = await fetch(`${other.origin}/ciba/complete`, { method: 'POST' })
    expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([401, 'application/json'])
    await other.close()
  })

  it('lets the first answer stand', async () => {
    await client.complete({ auth_req_id: authReqId, approved: true })
    expect((await client.complete({ auth_req_id: authReqId, approved: false })).status).to.equal(409)
    expect((await client.poll(authReqId)).status).to.equal(200)
  })

  it('threat 28 takes the answer of nobody else, yes or no, and says so in an event', async () => {
    for (const approved of [true, false]) {
      const { status, body } = await client.complete({ auth_req_id: authReqId, approved }, 'token-of-bob')
      expect([status, body.error]).to.deep.equal([403, 'access_denied'])
    }
    expect(host.events.filter(({ type }) => type === 'user.mismatch')).to.have.length(2)
    await stillOpen()
  })

  it('R6750-3.1-01 wants a bearer token that the host knows', async () => {
    const none = await client.complete({ auth_req_id: authReqId, approved: true }, '')
    expect([none.status, none.headers.get('www-authenticate')]).to.deep.equal([401, 'Bearer'])
    const bad = await client.complete({ auth_req_id: authReqId, approved: true }, 'forged')
    expect([bad.status, bad.headers.get('www-authenticate')]).to.deep.equal([401, 'Bearer error="invalid_token"'])
    await stillOpen()
  })

  for (const [what, body] of [
    ['no approved', { auth_req_id: 'x' }],
    ['approved as text', { auth_req_id: 'x', approved: 'true' }],
    ['approved as a number', { auth_req_id: 'x', approved: 1 }],
    ['no auth_req_id', { approved: true }],
    ['an array', []],
    ['no JSON', '{"auth_req_id":'],
    ['a JSON string', '"text"'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const answer = await client.complete(body)
      expect([answer.status, answer.body.error]).to.deep.equal([400, 'invalid_request'])
    })
  }

  it('refuses a body of a megabyte', async () => {
    expect((await client.complete({ auth_req_id: 'x'.repeat(1_000_000), approved: true })).status).to.equal(413)
  })

  it('knows no stranger and nothing expired', async () => {
    expect((await client.complete({ auth_req_id: 'unknown', approved: true })).status).to.equal(404)
    host.pass(600)
    expect((await client.complete({ auth_req_id: authReqId, approved: true })).status).to.equal(410)
  })

  it('says that a request has expired before it says whose it was', async () => {
    host.pass(600)
    expect((await client.complete({ auth_req_id: authReqId, approved: true }, 'token-of-bob')).status).to.equal(410)
    expect(host.events.map(({ type }) => type)).not.to.include('user.mismatch')
  })

  it('may demand a login newer than the request', async () => {
    const strict = await startHost({
      approval: { freshLogin: true },
      session: {
        current: () => undefined,
        loginUrl: () => '/login',
        verifyToken: ({ token }) => ({
          sub: 'alice',
          authTime: Math.floor(Date.now() / 1000) - (token === 'old' ? 60 : 0),
        }),
      },
    })
    try {
      const strictClient = clientOf(strict)
      const { body } = await strictClient.start()
      expect((await strictClient.complete({ auth_req_id: body.auth_req_id, approved: true }, 'old')).status).to.equal(
        401,
      )
      expect((await strictClient.complete({ auth_req_id: body.auth_req_id, approved: true }, 'new')).status).to.equal(
        204,
      )
    } finally {
      await strict.close()
    }
  })
})
