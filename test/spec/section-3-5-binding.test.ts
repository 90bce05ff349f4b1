import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { decodeJwt } from 'jose'
import { makeDpopKey } from '../helpers/dpop.ts'
import type { HostOptions } from '../helpers/host.ts'
import { startNotified } from '../helpers/notified.ts'
import { type Issuing, startIssuing } from '../helpers/tokens.ts'

describe('RFC 9449: DPoP', () => {
  let issuing: Issuing
  const start = async (till: Partial<ClientMetadata> = {}, options: HostOptions = {}) => {
    issuing = await startIssuing(till, options)
  }
  afterEach(() => issuing.host.close())
  const url = (path: string) => `${issuing.host.origin}${path}`
  const poll = async (authReqId: string, headers: object = {}) => {
    const answer = await issuing.client.poll(authReqId, { authorization: issuing.client.basic, ...headers })
    return { ...answer, says: answer.body.error ?? 'tokens' }
  }

  it('R9449-5-01, CIBA-5-01 binds the access token to the proven key, and says so', async () => {
    await start()
    const key = await makeDpopKey()
    const { body } = await poll(await issuing.approved(), await key.proof(url('/oidc/token')))
    expect(body.token_type).to.equal('DPoP')
    expect(decodeJwt(body.access_token).cnf).to.deep.equal({ jkt: key.jkt })
    expect(decodeJwt(body.id_token)).not.to.have.property('cnf')
  })

  it('R9449-5.2-01 refuses a client that is registered for it and sends no proof', async () => {
    await start({ dpop_bound_access_tokens: true })
    const authReqId = await issuing.approved()
    expect((await poll(authReqId)).says).to.equal('invalid_request')
    const key = await makeDpopKey()
    expect((await poll(authReqId, await key.proof(url('/oidc/token')))).says).to.equal('tokens')
  })

  it('R9449-0-01, threat 33 checks the proof before it says pending, and a refused one does not count as a poll', async () => {
    await start({}, { clientAuth: { dpopNonce: true } })
    const { body } = await issuing.client.start()
    const key = await makeDpopKey()
    const demanded = await poll(body.auth_req_id, await key.proof(url('/oidc/token')))
    expect([demanded.status, demanded.says]).to.deep.equal([400, 'use_dpop_nonce'])
    const nonce = demanded.headers.get('dpop-nonce')
    expect((await poll(body.auth_req_id, await key.proof(url('/oidc/token'), { nonce }))).says).to.equal(
      'authorization_pending',
    )
    expect((await poll(body.auth_req_id, { dpop: 'none' })).says).to.equal('invalid_dpop_proof')
    issuing.host.pass(5)
    const again = await key.proof(url('/oidc/token'), { nonce, iat: Math.floor(Date.now() / 1000) + 5 })
    expect((await poll(body.auth_req_id, again)).says).to.equal('authorization_pending')
  })

  it('R9449-10-01 lets only the key redeem that the request was made with', async () => {
    await start()
    const [key, other] = [await makeDpopKey(), await makeDpopKey()]
    const form = { scope: 'openid', login_hint: 'alice' }
    const { body } = await issuing.client.start(form, {
      authorization: issuing.client.basic,
      ...(await key.proof(url('/oidc/backchannel'))),
    })
    const authReqId = body.auth_req_id
    expect((await poll(authReqId)).says).to.equal('invalid_dpop_proof')
    await issuing.host.router.backchannel.approve({ request: authReqId, by: { sub: 'alice' } })
    expect((await poll(authReqId)).says).to.equal('invalid_dpop_proof')
    expect((await poll(authReqId, await other.proof(url('/oidc/token')))).says).to.equal('invalid_dpop_proof')
    expect((await poll(authReqId, await key.proof(url('/oidc/token')))).body.token_type).to.equal('DPoP')
  })

  it('R9449-10-01 takes dpop_jkt in place of a proof, and refuses one that is none, or another key', async () => {
    await start()
    const [key, other] = [await makeDpopKey(), await makeDpopKey()]
    const authReqId = await issuing.approved({ dpop_jkt: key.jkt })
    expect((await poll(authReqId, await other.proof(url('/oidc/token')))).says).to.equal('invalid_dpop_proof')
    expect((await poll(authReqId, await key.proof(url('/oidc/token')))).says).to.equal('tokens')
    const form = { scope: 'openid', login_hint: 'alice' }
    expect((await issuing.client.start({ ...form, dpop_jkt: 'short' })).body.error).to.equal('invalid_request')
    const { body } = await issuing.client.start(
      { ...form, dpop_jkt: other.jkt },
      { authorization: issuing.client.basic, ...(await key.proof(url('/oidc/backchannel'))) },
    )
    expect(body.error).to.equal('invalid_dpop_proof')
  })
})

describe('CIBA-5-02, CIBA-5-03: pushed tokens', () => {
  it('are bound to the key of the proof, or of dpop_jkt, at the backchannel endpoint', async () => {
    const notified = await startNotified('push')
    try {
      const key = await makeDpopKey()
      await notified.approve(await notified.start({ dpop_jkt: key.jkt }))
      const body = JSON.parse((await notified.receiver.received(1))[0]?.body ?? '')
      expect(body.token_type).to.equal('DPoP')
      expect(decodeJwt(body.access_token).cnf).to.deep.equal({ jkt: key.jkt })
    } finally {
      await notified.close()
    }
  })
})
