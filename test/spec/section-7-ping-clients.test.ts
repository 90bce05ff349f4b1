import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { decodeJwt } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const secret = 'till-secret-0123456789-0123456789'
const base = { client_secret: secret, grant_types: ['urn:openid:params:grant-type:ciba'] } as const
const endpoint = 'https://till.example/cb'
const clients: readonly ClientMetadata[] = [
  {
    ...base,
    client_id: 'till',
    backchannel_token_delivery_mode: 'ping',
    backchannel_client_notification_endpoint: endpoint,
  },
  {
    ...base,
    client_id: 'push',
    backchannel_token_delivery_mode: 'push',
    backchannel_client_notification_endpoint: endpoint,
  },
  { ...base, client_id: 'poll', backchannel_token_delivery_mode: 'poll', scope: 'openid email' },
]
const token = 'A1-._~+/a1-._~+/a1-._~+/a1=='

describe('CIBA Core 7.1: what ping clients add', () => {
  let host: Host
  before(async () => {
    host = await startHost({
      delivery: { modes: ['poll', 'ping'] },
      clients: { find: ({ clientId: id }) => clients.find((each) => each.client_id === id) },
    })
  })
  after(() => host.close())

  const basic = (id: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })
  const start = async (id: string, form: Record<string, string> = {}) => {
    const { status, body } = await clientOf(host).start(
      { scope: 'openid', login_hint: 'alice@example.com', ...form },
      basic(id),
    )
    return { said: status === 200 ? 'accepted' : `${status} ${body.error}`, body }
  }

  it('CIBA-7.1-08 need a notification token', async () => {
    expect((await start('till')).said).to.equal('400 invalid_request')
    expect((await start('till', { client_notification_token: token })).said).to.equal('accepted')
  })

  it('CIBA-7.1-09 may send 1024 characters and no more', async () => {
    expect((await start('till', { client_notification_token: 'x'.repeat(1024) })).said).to.equal('accepted')
    expect((await start('till', { client_notification_token: 'x'.repeat(1025) })).said).to.equal('400 invalid_request')
  })

  it('CIBA-7.1-10, R6750-2.1-01, threat 42 hold to the bearer syntax', async () => {
    for (const bad of [`${token}\r\nX: y`, `${token} x`, `${token}é`, `=${token}`, 'x'.repeat(30).replace('x', '"')]) {
      expect((await start('till', { client_notification_token: bad })).said).to.equal('400 invalid_request')
    }
  })

  it('CIBA-7.1-11, threat 40 need enough characters for 128 bits', async () => {
    expect((await start('till', { client_notification_token: 'x'.repeat(21) })).said).to.equal('400 invalid_request')
    expect((await start('till', { client_notification_token: 'x'.repeat(22) })).said).to.equal('accepted')
  })

  it('CIBA-7.1-12 a poll client may send whatever it likes: it is not looked at', async () => {
    expect((await start('poll', { client_notification_token: 'a b' })).said).to.equal('accepted')
  })

  it('CIBA-7.3-07 a ping client is told an interval', async () => {
    expect((await start('till', { client_notification_token: token })).body.interval).to.equal(5)
  })

  it('CIBA-10.1-09 a ping client may poll, at the pace of a poll client', async () => {
    const { body } = await start('till', { client_notification_token: token })
    const said = []
    for (let n = 0; n < 2; n++) said.push((await clientOf(host).poll(body.auth_req_id, basic('till'))).body.error)
    expect(said).to.deep.equal(['authorization_pending', 'slow_down'])
  })

  it('CIBA-3-03 a mode that is not offered is refused', async () => {
    expect((await start('push', { client_notification_token: token })).said).to.equal('400 unauthorized_client')
  })

  it('CIBA-11-09 a push client may not use the grant', async () => {
    const answer = await clientOf(host).poll('A'.repeat(59), basic('push'))
    expect([answer.status, answer.body.error]).to.deep.equal([400, 'unauthorized_client'])
  })

  it('BCP247-6.1.9 a client asks within the scope it is registered for', async () => {
    expect((await start('poll', { scope: 'openid email' })).said).to.equal('accepted')
    expect((await start('poll', { scope: 'openid phone' })).said).to.equal('400 invalid_scope')
  })
})

describe('what the ID token says of the login', () => {
  it('CIBA-7.1-15, FCIBA-4.1.1-06, OIDC-2-05 acr, amr and auth_time are those of the authentication device', async () => {
    const host = await startHost({ requests: { acrValues: ['urn:test:pwd'] } })
    try {
      const client = clientOf(host)
      const { body } = await client.start({ scope: 'openid', login_hint: 'alice', acr_values: 'urn:test:pwd' })
      const authTime = Math.floor(Date.now() / 1000) - 30
      await host.router.backchannel.approve({
        request: body.auth_req_id,
        by: { sub: 'alice', authTime, acr: 'urn:test:pwd', amr: ['pwd'] },
      })
      host.pass(60)
      const claims = decodeJwt((await client.poll(body.auth_req_id)).body.id_token)
      expect(claims).to.deep.include({
        acr: 'urn:test:pwd',
        amr: ['pwd'],
        auth_time: authTime,
        aud: 'till',
        iss: host.origin,
      })
      expect(claims).not.to.have.any.keys('nonce', 'azp')
      expect(Number(claims.iat)).to.be.at.least(authTime + 60)
    } finally {
      await host.close()
    }
  })

  it('CIBA-8-04, OIDC-3.1.2.2-03 names nobody but the user the hint named', async () => {
    const host = await startHost()
    try {
      const { body } = await clientOf(host).start()
      const answer = host.router.backchannel.approve({ request: body.auth_req_id, by: { sub: 'bob' } })
      expect(await answer.catch((thrown) => thrown.code)).to.equal('access_denied')
      expect((await clientOf(host).poll(body.auth_req_id)).body.error).to.equal('authorization_pending')
    } finally {
      await host.close()
    }
  })
})
