import { expect } from 'chai'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { type Host, startHost } from '../helpers/host.ts'

for (const prefix of ['', '/ciba']) {
  describe(`poll, mounted at "${prefix || '/'}"`, () => {
    let host: Host
    let client: ReturnType<typeof clientOf>
    beforeEach(async () => {
      host = await startHost({ prefix })
      client = clientOf(host, prefix)
    })
    afterEach(() => host.close())

    const linkOf = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return host.notices.at(-1)?.link ?? ''
    }

    it('acknowledges, stays pending, and hands tokens out once after the approval', async () => {
      const started = await client.start({
        scope: 'openid email',
        login_hint: 'alice@example.com',
        binding_message: 'W4SCT',
      })
      expect(started.status).to.equal(200)
      expect(started.body).to.have.all.keys('auth_req_id', 'expires_in', 'interval')
      expect(started.headers.get('cache-control')).to.equal('no-store')
      expect((await client.poll(started.body.auth_req_id)).body.error).to.equal('authorization_pending')

      const device = deviceOf('alice')
      const page = await device.open(await linkOf())
      expect(page.html).to.include('W4SCT').and.include('Corner Bank till')
      expect((await device.press(page, 'approve')).status).to.equal(303)

      const tokens = await client.poll(started.body.auth_req_id)
      expect(tokens.status).to.equal(200)
      expect(tokens.body).to.include({ token_type: 'Bearer', expires_in: 3600, scope: 'openid email' })
      const jwks = createRemoteJWKSet(new URL(`${host.origin}${prefix}/oidc/jwks`))
      const { payload } = await jwtVerify(tokens.body.id_token, jwks, {
        issuer: host.origin + prefix,
        audience: 'till',
      })
      expect(payload).to.include({ sub: 'alice', acr: 'urn:test:pwd' })

      const again = await client.poll(started.body.auth_req_id)
      expect([again.status, again.body.error]).to.deep.equal([400, 'invalid_grant'])
    })

    it('tells the client of a denial', async () => {
      const started = await client.start()
      const device = deviceOf('alice')
      await device.press(await device.open(await linkOf()), 'deny')
      const answer = await client.poll(started.body.auth_req_id)
      expect([answer.status, answer.body.error]).to.deep.equal([400, 'access_denied'])
    })

    it('says slow_down to an early poll and lengthens the interval', async () => {
      const { body } = await client.start()
      await client.poll(body.auth_req_id)
      expect((await client.poll(body.auth_req_id)).body.error).to.equal('slow_down')
      host.pass(6)
      expect((await client.poll(body.auth_req_id)).body.error).to.equal('slow_down')
      host.pass(16)
      expect((await client.poll(body.auth_req_id)).body.error).to.equal('authorization_pending')
    })

    it('gives the answer to a poll that comes early', async () => {
      const { body } = await client.start()
      await client.poll(body.auth_req_id)
      await client.complete({ auth_req_id: body.auth_req_id, approved: true })
      expect((await client.poll(body.auth_req_id)).status).to.equal(200)
    })

    it('expires, also when it was approved', async () => {
      const open = await client.start()
      const approved = await client.start()
      await client.complete({ auth_req_id: approved.body.auth_req_id, approved: true })
      host.pass(600)
      for (const { body } of [open, approved]) {
        expect((await client.poll(body.auth_req_id)).body.error).to.equal('expired_token')
      }
    })

    it('returns the link to the client when it asks for the link channel', async () => {
      const { body } = await client.start({
        scope: 'openid',
        login_hint: 'alice',
        request_context: JSON.stringify({ channel: 'link', login_hint_type: 'user_id' }),
      })
      expect(body.link).to.match(new RegExp(`^${host.origin}${prefix}/auth/backchannel/approve\\?r=`))
      const page = await deviceOf('alice').open(body.link)
      expect(page.response.status).to.equal(200)
    })
  })
}
