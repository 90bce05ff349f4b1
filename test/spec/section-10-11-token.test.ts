import { expect } from 'chai'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const grantType = 'urn:openid:params:grant-type:ciba'

describe('CIBA Core 10.1 and 11: collecting tokens', () => {
  let host: Host
  let client: ReturnType<typeof clientOf>
  let authReqId: string
  beforeEach(async () => {
    host = await startHost()
    client = clientOf(host)
    authReqId = (await client.start()).body.auth_req_id
  })
  afterEach(() => host.close())

  const said = async (form: Record<string, string>, headers?: Record<string, string>) => {
    const { status, body } = await client.post('/oidc/token', form, headers)
    return `${status} ${body.error ?? 'tokens'}`
  }
  const poll = async (id = authReqId) => said({ grant_type: grantType, auth_req_id: id })
  const answer = (approved: boolean) => client.complete({ auth_req_id: authReqId, approved })

  it('CIBA-10.1-01 authenticates the client', async () => {
    const basic = `Basic ${Buffer.from('till:wrong').toString('base64')}`
    expect(await said({ grant_type: grantType, auth_req_id: authReqId }, { authorization: basic })).to.equal(
      '401 invalid_client',
    )
  })

  it('CIBA-10.1-03 takes a poll at the end of the interval, give or take a quarter of a second', async () => {
    await poll()
    host.pass(4.8)
    expect(await poll()).to.equal('400 authorization_pending')
  })

  it('CIBA-10.1-12 needs auth_req_id', async () => {
    expect(await said({ grant_type: grantType })).to.equal('400 invalid_request')
    expect(await said({ grant_type: grantType, auth_req_id: '' })).to.equal('400 invalid_request')
  })

  it('CIBA-10.1-13, CIBA-11-06 know no id of another client, nor a stranger', async () => {
    const agent = { client_id: 'agent', client_secret: 'agent-secret-0123456789-0123456789' }
    expect(await said({ grant_type: grantType, auth_req_id: authReqId, ...agent }, {})).to.equal('400 invalid_grant')
    for (const id of [
      'x',
      'A'.repeat(59),
      '../../etc',
      authReqId.slice(0, -1),
      `${authReqId}A`,
      authReqId.toLowerCase(),
    ]) {
      expect(await poll(id)).to.equal('400 invalid_grant')
    }
  })

  it('CIBA-10.1.1-01, CIBA-10.1.1-02, OIDC-3.1.3.3-01, R6749-5.1-01 answers as OpenID Connect does', async () => {
    await answer(true)
    const { status, body, headers } = await client.poll(authReqId)
    expect(status).to.equal(200)
    expect(headers.get('cache-control')).to.equal('no-store')
    expect(headers.get('content-type')).to.equal('application/json')
    expect(body).to.include({ token_type: 'Bearer', scope: 'openid' })
    expect(Object.values(body)).not.to.include(null)
  })

  it('CIBA-10.1.1-03 a redeemed id is no longer valid, and that is an event', async () => {
    await answer(true)
    await poll()
    expect(await poll()).to.equal('400 invalid_grant')
    expect(host.events.at(-2)).to.deep.include({ type: 'replay.seen', what: 'auth_req_id' })
  })

  it('CIBA-11-02, CIBA-11-03, CIBA-10.1-02, R8628-3.5-01, threat 43 say pending, then slow_down, and the interval grows for good', async () => {
    const said: string[] = []
    for (const wait of [0, 1, 6, 16, 16, 5]) {
      host.pass(wait)
      said.push((await client.poll(authReqId)).body.error)
    }
    expect(said).to.deep.equal([
      'authorization_pending',
      'slow_down', // 5 s were due: now 10
      'slow_down', // now 15
      'authorization_pending',
      'authorization_pending',
      'slow_down',
    ])
  })

  it('CIBA-11-04, CIBA-11-13 say expired_token, and invalid_grant when the request is forgotten', async () => {
    host.pass(601)
    expect(await poll()).to.equal('400 expired_token')
    host.pass(60)
    expect(await poll()).to.equal('400 expired_token')
  })

  it('CIBA-11-05 says access_denied with 400, also after the end', async () => {
    await answer(false)
    expect(await poll()).to.equal('400 access_denied')
    host.pass(610)
    expect(await poll()).to.equal('400 access_denied')
  })

  it('CIBA-11-11 never hides a final state behind the pace', async () => {
    for (let n = 0; n < 5; n++) await poll()
    await answer(true)
    expect(await poll()).to.equal('200 tokens')
  })

  it('CIBA-11-12 a refused call changes nothing', async () => {
    await answer(true)
    const wrong = `Basic ${Buffer.from('till:wrong').toString('base64')}`
    await said({ grant_type: grantType, auth_req_id: authReqId }, { authorization: wrong })
    await client.post(
      '/oidc/token',
      `grant_type=${encodeURIComponent(grantType)}&auth_req_id=${authReqId}&auth_req_id=${authReqId}`,
    )
    expect(await poll()).to.equal('200 tokens')
  })

  it('says expired_token for a request that failed (section 6, point 3)', async () => {
    await host.router.backchannel.fail({ request: authReqId, reason: 'other' })
    expect(await poll()).to.equal('400 expired_token')
  })

  it('says expired before approved (section 6, point 4)', async () => {
    await answer(true)
    host.pass(600)
    expect(await poll()).to.equal('400 expired_token')
  })

  it('CIBA-8-05, threat 27: an account that was locked after the approval gets no tokens', async () => {
    let active = true
    const locked = await startHost({
      users: { find: () => ({ sub: 'alice', phone_number: '+15550100' }), isActive: () => active },
    })
    try {
      const lockedClient = clientOf(locked)
      const { body } = await lockedClient.start()
      const other = await lockedClient.start()
      await lockedClient.complete({ auth_req_id: body.auth_req_id, approved: true })
      active = false
      expect((await lockedClient.complete({ auth_req_id: other.body.auth_req_id, approved: true })).status).to.equal(
        403,
      )
      const refused = await lockedClient.poll(body.auth_req_id)
      expect([refused.status, refused.body.error]).to.deep.equal([400, 'access_denied'])
      active = true
      expect((await lockedClient.poll(body.auth_req_id)).status).to.equal(200)
    } finally {
      await locked.close()
    }
  })

  it('CIBA-10.1-08 an outage of the store is 503, and nothing is lost by it', async () => {
    const { memoryStore } = await import('express-ciba')
    const memory = memoryStore()
    let down = false
    const fail = <T>(step: () => Promise<T>) => (down ? Promise.reject(new Error('ECONNREFUSED 10.0.0.7')) : step())
    const shaky = await startHost({
      store: {
        ...memory,
        poll: (...args) => fail(() => memory.poll(...args)),
        move: (...args) => fail(() => memory.move(...args)),
        add: (...args) => fail(() => memory.add(...args)),
      },
    })
    try {
      const shakyClient = clientOf(shaky)
      const { body } = await shakyClient.start()
      down = true
      for (const answer of [
        await shakyClient.poll(body.auth_req_id),
        await shakyClient.start(),
        await shakyClient.complete({ auth_req_id: body.auth_req_id, approved: true }),
      ]) {
        expect([answer.status, answer.body.error, answer.headers.get('retry-after')]).to.deep.equal([
          503,
          'temporarily_unavailable',
          '5',
        ])
        expect(JSON.stringify(answer.body)).not.to.include('10.0.0.7')
      }
      down = false
      await shakyClient.complete({ auth_req_id: body.auth_req_id, approved: true })
      expect((await shakyClient.poll(body.auth_req_id)).status).to.equal(200)
    } finally {
      await shaky.close()
    }
  })
})
