import { X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import { memoryStore, type RequestRecord } from 'express-ciba'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  decodeJwt,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose'
import { leftHalfHash } from '../../lib/protocol/token/idToken.ts'
import { makeCertificate } from '../helpers/certificates.ts'
import { eventually, type Notified, notificationToken, quiet, startNotified } from '../helpers/notified.ts'
import { reactions } from '../helpers/receiver.ts'

const authReqIdClaim = 'urn:openid:params:jwt:claim:auth_req_id'

describe('push', () => {
  let notified: Notified
  const start = async (options: Parameters<typeof startNotified>[1] = {}) => {
    notified = await startNotified('push', options)
  }
  afterEach(() => notified.close())
  const bodyOf = async (call: number) => JSON.parse((await notified.receiver.received(call + 1))[call]?.body ?? '')
  /** A store that shows what it holds. */
  const openStore = () => {
    const store = memoryStore()
    const written: RequestRecord[] = []
    return {
      written,
      store: {
        ...store,
        async move(...args: Parameters<typeof store.move>) {
          const moved = await store.move(...args)
          if (moved?.moved) written.push(moved.record)
          return moved
        },
      },
    }
  }

  it('is off unless it is enabled', async () => {
    await start({ delivery: { modes: ['poll', 'ping'] } })
    const form = { scope: 'openid', login_hint: 'alice', client_notification_token: notificationToken }
    const answer = await notified.client.start(form)
    expect([answer.status, answer.body.error]).to.deep.equal([400, 'unauthorized_client'])
  })

  it('sends the tokens, bound together by the ID token', async () => {
    await start()
    const authReqId = await notified.start({ scope: 'openid email' })
    await notified.approve(authReqId)
    const body = await bodyOf(0)
    expect(body).to.include({ auth_req_id: authReqId, token_type: 'Bearer', expires_in: 3600, scope: 'openid email' })
    expect(notified.receiver.calls[0]).to.include({ method: 'POST', url: '/cb' })
    expect(notified.receiver.calls[0]?.headers).to.include({
      'content-type': 'application/json',
      authorization: `Bearer ${notificationToken}`,
    })
    const jwks = createLocalJWKSet(notified.host.router.backchannel.jwks() as unknown as JSONWebKeySet)
    const { payload } = await jwtVerify(body.id_token, jwks, { issuer: notified.host.origin, audience: 'till' })
    expect(payload).to.include({
      sub: 'alice',
      at_hash: leftHalfHash(body.access_token, 'ES256'),
      [authReqIdClaim]: authReqId,
    })
    await quiet()
    expect(notified.receiver.calls).to.have.length(1)
    expect(notified.events('request.delivered')).to.have.length(1)
    expect((await notified.host.router.backchannel.find(authReqId))?.status).to.equal('delivered')
  })

  it('acknowledges without an interval, and gives nothing at the token endpoint', async () => {
    await start()
    const form = { scope: 'openid', login_hint: 'alice', client_notification_token: notificationToken }
    const { body } = await notified.client.start(form)
    expect(body).to.have.all.keys('auth_req_id', 'expires_in')
    const answer = await notified.client.poll(body.auth_req_id)
    expect([answer.status, answer.body.error]).to.deep.equal([400, 'unauthorized_client'])
    notified.till.backchannel_token_delivery_mode = 'poll' // the mode is frozen with the request
    expect((await notified.client.poll(body.auth_req_id)).body.error).to.equal('unauthorized_client')
  })

  it('says access_denied and transaction_failed, with the reason that was given', async () => {
    await start()
    const [denied, failed, explained] = [await notified.start(), await notified.start(), await notified.start()]
    const { fail, deny } = notified.host.router.backchannel
    await notified.deny(denied)
    expect(await bodyOf(0)).to.deep.equal({
      error: 'access_denied',
      error_description: 'The user declined',
      auth_req_id: denied,
    })
    await fail({ request: failed, reason: 'other' })
    expect(await bodyOf(1)).to.include({ error: 'transaction_failed', auth_req_id: failed })
    await deny({ request: explained, errorDescription: "Not 'mine'" })
    expect(await bodyOf(2)).to.include({ error_description: "Not 'mine'" })
  })

  it('says expired_token once when nobody answers', async () => {
    await start()
    const authReqId = await notified.start({ requested_expiry: '1' })
    const body = await bodyOf(0)
    expect(body).to.include({ error: 'expired_token', auth_req_id: authReqId })
    await quiet()
    expect(notified.receiver.calls).to.have.length(1)
    expect(notified.events('request.expired')).to.have.length(1)
  })

  it('sends the same tokens at each try, seals them at rest, and erases them when they arrived (threats 38, 41)', async () => {
    const { store, written } = openStore()
    await start({ store })
    notified.receiver.react(500, reactions.reset, 204)
    await notified.approve(await notified.start())
    const calls = await notified.receiver.received(3)
    expect(new Set(calls.map(({ body }) => body)).size).to.equal(1)
    await eventually(() => written.at(-1)?.status === 'delivered')
    expect(written.map(({ status }) => status)).to.deep.equal(['approved', 'delivering', 'delivered'])
    const tokens = JSON.parse(calls[0]?.body ?? '')
    expect(written[1]?.sealedDelivery).to.be.a('string').with.length.greaterThan(500)
    expect(written[2]?.sealedDelivery).to.equal('')
    for (const secret of [tokens.access_token, tokens.id_token, tokens.auth_req_id, notificationToken]) {
      expect(JSON.stringify(written)).not.to.include(secret)
    }
  })

  for (const status of [301, 302, 303, 307, 308, 400, 401, 403, 404]) {
    it(`gives up at once after ${status}, and erases the tokens`, async () => {
      const { store, written } = openStore()
      await start({ store })
      notified.receiver.react(status)
      await notified.approve(await notified.start())
      await eventually(() => notified.events('delivery.given_up').length === 1)
      await quiet(100)
      expect(notified.receiver.calls).to.have.length(1)
      expect(written.map((each) => each.status)).to.deep.equal(['approved', 'delivering', 'approved'])
      expect(written.at(-1)?.sealedDelivery).to.equal('')
    })
  }

  for (const [what, reaction] of [
    ['200 with a body', reactions.withBody],
    ['a dripping body', reactions.drip],
    ['an endless body', reactions.endless],
  ] as const) {
    it(`is content with ${what}`, async () => {
      await start()
      notified.receiver.react(reaction)
      await notified.approve(await notified.start())
      await eventually(() => notified.events('request.delivered').length === 1)
      await quiet(100)
      expect(notified.receiver.calls).to.have.length(1)
    })
  }

  it('gives up at the end of the request, erases the tokens and says so', async () => {
    const { store, written } = openStore()
    const undelivered: unknown[] = []
    await start({ store, delivery: { onUndelivered: (each) => void undelivered.push(each) } })
    notified.receiver.react(500)
    await notified.approve(await notified.start({ requested_expiry: '1' }))
    await eventually(() => notified.events('delivery.given_up').length === 1)
    expect(notified.receiver.calls.length).to.be.greaterThan(1)
    expect(written.at(-1)).to.include({ status: 'approved', sealedDelivery: '' })
    expect(undelivered).to.have.length(1)
    expect(undelivered[0]).to.include({ mode: 'push', reason: 'expired' })
  })

  it('leaves a receiver that refused the tokens with nothing: the refresh token is worth no more', async () => {
    await start()
    notified.till.grant_types = ['urn:openid:params:grant-type:ciba', 'refresh_token']
    notified.receiver.react(403)
    await notified.approve(await notified.start({ scope: 'openid offline_access' }))
    const { refresh_token } = await bodyOf(0)
    expect(refresh_token).to.be.a('string')
    await eventually(() => notified.events('delivery.given_up').length === 1)
    const { status, body } = await notified.client.post('/oidc/token', { grant_type: 'refresh_token', refresh_token })
    expect([status, body.error]).to.deep.equal([400, 'invalid_grant'])
  })

  it('replays with new tokens, since the old ones were revoked', async () => {
    await start()
    notified.receiver.react(401)
    await notified.approve(await notified.start())
    const { deliveries } = notified.host.router.backchannel
    await eventually(async () => (await deliveries.failed()).length === 1)
    notified.receiver.react(204)
    expect(await deliveries.replay((await deliveries.failed())[0]?.request ?? '')).to.equal(true)
    const [first, second] = [await bodyOf(0), await bodyOf(1)]
    expect(second.auth_req_id).to.equal(first.auth_req_id)
    expect(second.access_token).not.to.equal(first.access_token)
    await eventually(() => notified.events('request.delivered').length === 1)
  })

  it('refuses a receiver whose certificate nobody vouches for, and tries until the end (threat 38)', async () => {
    await start({ delivery: { outbound: { ca: [] } } })
    await notified.approve(await notified.start({ requested_expiry: '1' }))
    await eventually(() => notified.events('delivery.given_up').length === 1)
    expect(notified.events('delivery.given_up')[0]).to.include({ reason: 'expired' })
    expect(notified.receiver.connections()).to.be.greaterThan(1)
    expect(notified.receiver.calls).to.deep.equal([])
  })

  it('asks for the account at each try: a user locked meanwhile gets no tokens (threat 27)', async () => {
    let active = true
    const users = { find: () => ({ sub: 'alice' }), isActive: () => active }
    const { store, written } = openStore()
    await start({ users, store })
    notified.receiver.react((res) => {
      active = false
      res.writeHead(500).end()
    }, 204)
    const authReqId = await notified.start()
    await notified.approve(authReqId)
    expect(await bodyOf(0)).to.have.property('access_token')
    expect(await bodyOf(1)).to.include({ error: 'access_denied', auth_req_id: authReqId })
    expect(written.at(-1)).to.include({ status: 'approved', sealedDelivery: '' })
  })

  it('binds the tokens to the certificate shown at the request', async () => {
    const certificate = new X509Certificate(makeCertificate({ subject: '/CN=till' }).cert)
    await start({ clientAuth: { getCertificate: () => certificate } })
    notified.till.tls_client_certificate_bound_access_tokens = true
    await notified.approve(await notified.start())
    const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
    expect(decodeJwt((await bodyOf(0)).access_token).cnf).to.deep.equal({ 'x5t#S256': thumbprint })
  })

  it('binds the tokens to the DPoP key shown at the request, and demands it of a client that wants it', async () => {
    await start()
    notified.till.dpop_bound_access_tokens = true
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const form = { scope: 'openid', login_hint: 'alice', client_notification_token: notificationToken }
    const htu = `${notified.host.origin}/oidc/backchannel`
    const proof = await new SignJWT({ htm: 'POST', htu, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey)
    expect((await notified.client.start(form)).body.error).to.equal('invalid_request')
    const { body } = await notified.client.start(form, { authorization: notified.client.basic, dpop: proof })
    await notified.approve(body.auth_req_id)
    const pushed = await bodyOf(0)
    expect(pushed.token_type).to.equal('DPoP')
    expect(decodeJwt(pushed.access_token).cnf).to.deep.equal({ jkt: await calculateJwkThumbprint(jwk) })
  })
})
