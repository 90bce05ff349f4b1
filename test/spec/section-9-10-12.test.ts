import { expect } from 'chai'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { leftHalfHash } from '../../lib/protocol/token/idToken.ts'
import { eventually, type Notified, notificationToken, quiet, startNotified } from '../helpers/notified.ts'
import { reactions } from '../helpers/receiver.ts'

let notified: Notified
const use = (mode: 'ping' | 'push', options: Parameters<typeof startNotified>[1] = {}) => {
  beforeEach(async () => {
    notified = await startNotified(mode, options)
  })
  afterEach(() => notified.close())
}
const approved = async (form: Record<string, string> = {}) => {
  const authReqId = await notified.start(form)
  await notified.approve(authReqId)
  return authReqId
}
const body = async (call = 0) => JSON.parse((await notified.receiver.received(call + 1))[call]?.body ?? '')

describe('CIBA Core 9: the notification endpoint', () => {
  use('ping')

  for (const url of ['http://localhost/cb', 'ftp://localhost/cb', 'no URL']) {
    it(`CIBA-9-01 takes no request from a client whose endpoint is ${url}`, async () => {
      await notified.start()
      notified.till.backchannel_client_notification_endpoint = url
      const refusal = await notified.start().catch((error) => error.message)
      expect(refusal).to.include('invalid_client')
    })
  }

  it('CIBA-9-01 does not call http, even when it is registered while the request is open', async () => {
    const authReqId = await notified.start()
    notified.till.backchannel_client_notification_endpoint = notified.receiver.url.replace('https:', 'http:')
    await notified.approve(authReqId)
    await quiet()
    expect(notified.receiver.connections()).to.equal(0)
  })

  it('CIBA-9-02 is called after success and after failure', async () => {
    const [yes, no] = [await notified.start(), await notified.start()]
    await notified.approve(yes)
    await notified.deny(no)
    await notified.receiver.received(2)
    const ids = notified.receiver.calls.map((call) => JSON.parse(call.body).auth_req_id)
    expect(ids).to.have.members([yes, no])
  })

  it('CIBA-9-03 gets the notification token of that very request as bearer', async () => {
    const tokens = ['first-notification-token-0123456789', `${'a.-_~+/'.repeat(146)}==`]
    for (const token of tokens) await approved({ client_notification_token: token })
    await notified.receiver.received(2)
    const bearers = notified.receiver.calls.map((call) => call.headers.authorization)
    expect(bearers).to.have.members(tokens.map((token) => `Bearer ${token}`))
  })
})

describe('CIBA Core 10.2: ping', () => {
  use('ping')

  it('CIBA-10-01 is never sent to a poll client', async () => {
    notified.till.backchannel_token_delivery_mode = 'poll'
    await approved()
    await quiet()
    expect(notified.receiver.connections()).to.equal(0)
  })

  it('CIBA-10.2-01 is not needed when the request merely expires, and not sent', async () => {
    await notified.start({ requested_expiry: '1' })
    await quiet(1300)
    expect(notified.receiver.connections()).to.equal(0)
  })

  it('CIBA-10.2-02 is a POST of JSON with auth_req_id and nothing else', async () => {
    const authReqId = await approved()
    expect(await body()).to.deep.equal({ auth_req_id: authReqId })
    expect(notified.receiver.calls[0]?.method).to.equal('POST')
    expect(notified.receiver.calls[0]?.headers['content-type']).to.equal('application/json')
  })

  for (const [what, reaction] of [
    ['204', 204],
    ['200 and a body', reactions.withBody],
  ] as const) {
    it(`CIBA-10.2-04 takes ${what}`, async () => {
      notified.receiver.react(reaction)
      await approved()
      await eventually(() => notified.events('delivery.tried').length === 1)
      expect(notified.events('delivery.failed')).to.deep.equal([])
    })
  }

  it('CIBA-10.2-05 does not follow a redirect', async () => {
    notified.receiver.react(reactions.redirect(301, `${notified.receiver.url}/elsewhere`))
    await approved()
    await quiet()
    expect(notified.receiver.calls.map(({ url }) => url)).to.deep.equal(['/cb'])
  })

  it('CIBA-10.2-06 is tried again after 5xx, and never after 4xx', async () => {
    notified.receiver.react(503, 204)
    await approved()
    await notified.receiver.received(2)
    notified.receiver.react(401)
    await approved()
    await quiet()
    expect(notified.receiver.calls).to.have.length(3)
  })

  it('CIBA-10.2-07 is sent after the result is stored: the client may collect while it is being pinged', async () => {
    let collected: Promise<{ status: number }> | undefined
    notified.receiver.react((res) => {
      collected = notified.client.poll(JSON.parse(notified.receiver.calls.at(-1)?.body ?? '').auth_req_id)
      void collected.then(() => res.writeHead(204).end())
    })
    await approved()
    await notified.receiver.received(1)
    await eventually(() => collected)
    expect((await collected)?.status).to.equal(200)
  })

  it('CIBA-10.2-08 says nothing of the outcome: a denial looks like an approval', async () => {
    const [yes, no] = [await notified.start(), await notified.start()]
    await notified.approve(yes)
    await notified.receiver.received(1)
    await notified.deny(no)
    const [first, second] = await notified.receiver.received(2)
    expect(second?.body.replace(no, yes)).to.equal(first?.body)
  })

  it('CIBA-10.1-09 a ping client may poll as well', async () => {
    const authReqId = await notified.start()
    expect((await notified.client.poll(authReqId)).body.error).to.equal('authorization_pending')
    expect((await notified.client.poll(authReqId)).body.error).to.equal('slow_down')
    await notified.approve(authReqId)
    expect((await notified.client.poll(authReqId)).status).to.equal(200)
  })
})

describe('CIBA Core 10.3.1: push', () => {
  use('push')

  it('CIBA-9-04, CIBA-10.3.1-01 sends ID token, access token and auth_req_id', async () => {
    const authReqId = await approved({ scope: 'openid profile' })
    const pushed = await body()
    expect(pushed).to.include({ auth_req_id: authReqId, token_type: 'Bearer', scope: 'openid profile' })
    for (const name of ['access_token', 'id_token']) expect(pushed[name]).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(pushed.expires_in).to.be.a('number')
  })

  it('CIBA-10.3.1-02 is JSON with the notification token as bearer', async () => {
    await approved()
    await body()
    expect(notified.receiver.calls[0]?.headers).to.include({
      'content-type': 'application/json',
      authorization: `Bearer ${notificationToken}`,
    })
  })

  it('CIBA-10.3.1-03..06 has at_hash, rt_hash and the plain auth_req_id in the ID token', async () => {
    const authReqId = await approved({ scope: 'openid offline_access' })
    const pushed = await body()
    const jwks = createLocalJWKSet(notified.host.router.backchannel.jwks() as unknown as JSONWebKeySet)
    const { payload, protectedHeader } = await jwtVerify(pushed.id_token, jwks)
    expect(payload.at_hash).to.equal(leftHalfHash(pushed.access_token, protectedHeader.alg))
    expect(payload['urn:openid:params:jwt:claim:auth_req_id']).to.equal(authReqId)
    expect(payload['urn:openid:params:jwt:claim:rt_hash']).to.equal(
      pushed.refresh_token === undefined ? undefined : leftHalfHash(pushed.refresh_token, protectedHeader.alg),
    )
  })

  it('CIBA-10.3.1-09 sends the same tokens when it has to try again', async () => {
    notified.receiver.react(500, 502, 200)
    await approved()
    const [first, second, third] = [await body(0), await body(1), await body(2)]
    expect(second).to.deep.equal(first)
    expect(third).to.deep.equal(first)
    await quiet()
    expect(notified.receiver.calls).to.have.length(3)
  })

  it('CIBA-10.3.1-09 follows no redirect and stops at 4xx', async () => {
    notified.receiver.react(reactions.redirect(308, notified.receiver.url), 400)
    await approved()
    await approved()
    await quiet()
    expect(notified.receiver.calls).to.have.length(2)
  })

  it('CIBA-11-09 leaves nothing to collect at the token endpoint', async () => {
    const authReqId = await approved()
    await body()
    const answer = await notified.client.poll(authReqId)
    expect([answer.status, answer.body.error]).to.deep.equal([400, 'unauthorized_client'])
  })
})

describe('CIBA Core 12: push error', () => {
  use('push')
  const members = ['error', 'error_description', 'auth_req_id']

  it('CIBA-12-01 has error, auth_req_id and a printable description', async () => {
    const authReqId = await notified.start()
    const { deny } = notified.host.router.backchannel
    const refused = { request: authReqId, errorDescription: 'Nicht "meins"\r\n\\ 🙂' }
    const thrown = await deny(refused).catch((error) => error)
    expect(thrown).to.include({ code: 'invalid_request' })
    await deny({ ...refused, errorDescription: 'Not mine' })
    expect(await body()).to.have.all.keys(members)
    expect((await body()).error_description).to.match(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/)
  })

  it('CIBA-12-02 access_denied: the user said no', async () => {
    const authReqId = await notified.start()
    await notified.deny(authReqId)
    expect(await body()).to.include({ error: 'access_denied', auth_req_id: authReqId })
  })

  it('CIBA-12-03 expired_token: nobody answered', async () => {
    const authReqId = await notified.start({ requested_expiry: '1' })
    expect(await body()).to.include({ error: 'expired_token', auth_req_id: authReqId })
  })

  it('CIBA-12-04 transaction_failed: any other failure', async () => {
    const authReqId = await notified.start()
    await notified.host.router.backchannel.fail({ request: authReqId, reason: 'other' })
    expect(await body()).to.include({ error: 'transaction_failed', auth_req_id: authReqId })
  })
})

describe('FAPI-CIBA plan 12d: the notification endpoint misbehaves', () => {
  use('ping')

  for (const [module, what, reaction] of [
    ['M36', 'answers 200 with text', reactions.withBody],
    ['M37', 'answers 401', 401],
    ['M38', 'answers 403', 403],
    ['M39', 'answers 401 and waits', 401],
    ['M40', 'redirects', reactions.redirect(301, '/invalid-ciba-notification-endpoint')],
  ] as const) {
    it(`${module} the client ${what}: one ping, and its tokens`, async () => {
      notified.receiver.react(reaction)
      const authReqId = await approved()
      await notified.receiver.received(1)
      await quiet(module === 'M39' || module === 'M40' ? 1500 : 250)
      expect((await notified.client.poll(authReqId)).status).to.equal(200)
      expect(notified.receiver.calls.map(({ url }) => url)).to.deep.equal(['/cb'])
    })
  }
})
