import { expect } from 'chai'
import { cibaGrantType } from 'express-ciba'
import { clientOf, type Form } from '../helpers/client.ts'
import { freePort } from '../helpers/port.ts'
import { type Program, startProgram } from '../helpers/program.ts'

const secret = 'a-secret-for-the-demo-only-0123456789'
const credentials = { client_id: 'till', client_secret: secret }

for (const { name, own } of [
  { name: 'oauth2orize', own: { grant_type: 'password', username: 'alice', password: 'wonderland' } },
  { name: 'node-oauth', own: { grant_type: 'client_credentials' } },
]) {
  describe(`beside ${name}`, function () {
    this.timeout(20_000)
    let program: Program
    let client: ReturnType<typeof clientOf>
    before(async () => {
      const port = await freePort()
      program = startProgram(['--import', 'tsx', `examples/${name}/server.ts`], { PORT: String(port) })
      await program.line(/with CIBA at/)
      client = clientOf({ origin: `http://127.0.0.1:${port}` })
    })
    after(() => program.stop())

    const start = async () => (await client.start({ scope: 'openid', login_hint: 'alice', ...credentials }, {})).body
    const token = (form: Form) => client.post('/oauth/token', { ...credentials, ...(form as object) }, {})
    const poll = (auth_req_id: string) => token({ grant_type: cibaGrantType, auth_req_id })
    const answer = (auth_req_id: string, approved: boolean) =>
      client.complete({ auth_req_id, approved }, 'demo-token-of-alice')

    it("leaves the server's own grant as it is", async () => {
      const { status, body } = await token(own)
      expect(status).to.equal(200)
      expect(body.access_token).to.be.a('string')
      expect(body).not.to.have.property('id_token')
    })

    it('says pending and slow_down with the right code and status', async () => {
      const { auth_req_id } = await start()
      for (const error of ['authorization_pending', 'slow_down']) {
        const { status, body } = await poll(auth_req_id)
        expect([status, body.error]).to.deep.equal([400, error])
      }
    })

    it('hands tokens out once', async () => {
      const { auth_req_id } = await start()
      await answer(auth_req_id, true)
      const { status, body, headers } = await poll(auth_req_id)
      expect(status).to.equal(200)
      expect(body).to.include({ token_type: 'Bearer', scope: 'openid' })
      expect(body.id_token.split('.')).to.have.length(3)
      expect(body.expires_in).to.be.within(3590, 3600)
      expect(headers.get('cache-control')).to.equal('no-store')
      expect((await poll(auth_req_id)).body.error).to.equal('invalid_grant')
    })

    it('authenticates the client, whatever the server itself demands', async () => {
      const { auth_req_id } = await start()
      await answer(auth_req_id, true)
      const form = { grant_type: cibaGrantType, auth_req_id, client_id: 'till', client_secret: 'wrong' }
      const { status, body } = await client.post('/oauth/token', form, {})
      expect([status, body.error]).to.satisfy(
        ([code, error]: [number, string]) => error === 'invalid_client' && [400, 401].includes(code),
      )
      expect(
        (await client.post('/oauth/token', { grant_type: cibaGrantType, auth_req_id, client_id: 'till' }, {})).status,
      ).not.to.equal(200)
      expect((await poll(auth_req_id)).status).to.equal(200)
    })

    // last: after a denial a client has to wait before it may ask the same user again
    it('tells of a denial and of unknown ids', async () => {
      const { auth_req_id } = await start()
      await answer(auth_req_id, false)
      const denied = await poll(auth_req_id)
      expect([denied.status, denied.body.error]).to.deep.equal([400, 'access_denied'])
      expect((await poll('unknown')).body.error).to.equal('invalid_grant')
    })
  })
}
