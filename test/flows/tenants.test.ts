import { expect } from 'chai'
import { type BackchannelOptions, cibaGrantType, memoryStore } from 'express-ciba'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, startHost } from '../helpers/host.ts'
import { privateJwk } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'

describe('two issuers that share store, keys and secret, with clients and users of the same names', () => {
  let one: Host
  let other: Host
  beforeEach(async () => {
    const shared: Partial<BackchannelOptions> = {
      store: memoryStore(),
      keys: { keys: [privateJwk('P-256')] },
      secret: 'a secret of thirty-two characters',
      clients: { find: () => ({ ...clients[0], client_id: 'till', grant_types: [cibaGrantType, 'refresh_token'] }) },
    }
    one = await startHost(shared)
    other = await startHost(shared)
  })
  afterEach(async () => {
    await one.close()
    await other.close()
  })

  const asked = async () => String((await clientOf(one).start()).body.auth_req_id)
  const complete = (host: Host, auth_req_id: string) => clientOf(host).complete({ auth_req_id, approved: true })

  it('the namesake of a user answers nothing at the other one', async () => {
    const authReqId = await asked()
    expect((await complete(other, authReqId)).status).to.equal(404)
    expect(await other.router.backchannel.find(authReqId)).to.equal(undefined)
    await until(() => one.notices.length === 1)
    const link = new URL(one.notices[0]?.link ?? '')
    const page = await deviceOf('alice').open(`${other.origin}${link.pathname}${link.search}`)
    expect(page.response.status).to.equal(404)
    expect((await clientOf(one).poll(authReqId)).body.error).to.equal('authorization_pending')
  })

  it('the namesake of a client collects nothing at the other one', async () => {
    const authReqId = await asked()
    expect((await complete(one, authReqId)).status).to.equal(204)
    expect((await clientOf(other).poll(authReqId)).body.error).to.equal('invalid_grant')
    expect((await clientOf(one).poll(authReqId)).status).to.equal(200)
  })

  it('nor does it refresh, look at or revoke tokens of the other one', async () => {
    const { body } = await clientOf(one).start({ scope: 'openid offline_access', login_hint: 'alice' })
    await complete(one, body.auth_req_id)
    const { refresh_token } = (await clientOf(one).poll(body.auth_req_id)).body
    const form = { grant_type: 'refresh_token', refresh_token }
    expect((await clientOf(other).post('/oidc/token', form)).body.error).to.equal('invalid_grant')
    expect((await clientOf(other).post('/oidc/introspect', { token: refresh_token })).body).to.deep.equal({
      active: false,
    })
    expect((await clientOf(other).post('/oidc/revoke', { token: refresh_token })).status).to.equal(200)
    expect((await clientOf(one).post('/oidc/token', form)).status).to.equal(200)
  })
})
