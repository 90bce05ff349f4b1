import { expect } from 'chai'
import * as client from 'openid-client'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

describe('openid-client', () => {
  let host: Host
  let config: client.Configuration
  beforeEach(async () => {
    host = await startHost({ polling: { intervalSeconds: 1 } })
    config = await discover('agent', client.ClientSecretPost('agent-secret-0123456789-0123456789'))
  })
  afterEach(() => host.close())

  const discover = (id: string, auth: client.ClientAuth) =>
    client.discovery(new URL(host.origin), id, undefined, auth, {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    })
  const initiate = (parameters: Record<string, string> = {}) =>
    client.initiateBackchannelAuthentication(config, {
      scope: 'openid',
      login_hint: 'alice@example.com',
      ...parameters,
    })
  const answer = (authReqId: string, approved: boolean) => clientOf(host).complete({ auth_req_id: authReqId, approved })
  const failure = async (promise: Promise<unknown>) => {
    try {
      await promise
    } catch (thrown) {
      return thrown as client.ResponseBodyError
    }
    throw new Error('should have been refused')
  }

  it('discovers, initiates, polls and gets validated tokens', async () => {
    const started = await initiate({ binding_message: 'W4SCT' })
    setTimeout(() => answer(started.auth_req_id, true), 1200)
    const tokens = await client.pollBackchannelAuthenticationGrant(config, started)
    expect(tokens.claims()).to.include({ iss: host.origin, sub: 'alice', aud: 'agent' })
  })

  it('works with client_secret_basic', async () => {
    config = await discover('till', client.ClientSecretBasic('till-secret-0123456789-0123456789'))
    const started = await initiate()
    await answer(started.auth_req_id, true)
    expect((await client.pollBackchannelAuthenticationGrant(config, started)).claims()?.sub).to.equal('alice')
  })

  it('hears of a denial', async () => {
    const started = await initiate()
    await answer(started.auth_req_id, false)
    expect((await failure(client.pollBackchannelAuthenticationGrant(config, started))).error).to.equal('access_denied')
  })

  it('hears of the expiry', async () => {
    const started = await initiate({ requested_expiry: '30' })
    host.pass(30)
    expect((await failure(client.pollBackchannelAuthenticationGrant(config, started))).error).to.equal('expired_token')
  })

  it('slows down when told to, and still gets its tokens', async () => {
    const started = await initiate()
    const polling = client.pollBackchannelAuthenticationGrant(config, started)
    // a second poll half-way makes the library's own one early
    setTimeout(() => clientOf(host).poll(started.auth_req_id, {}), 100)
    const form = {
      grant_type: 'urn:openid:params:grant-type:ciba',
      auth_req_id: started.auth_req_id,
      client_id: 'agent',
      client_secret: 'agent-secret-0123456789-0123456789',
    }
    setTimeout(() => clientOf(host).post('/oidc/token', form, {}), 700)
    setTimeout(() => answer(started.auth_req_id, true), 1500)
    expect((await polling).claims()?.sub).to.equal('alice')
    expect(host.events.map((event) => event.type)).to.include('poll.early')
  }).timeout(15_000)

  it('is refused with a wrong secret', async () => {
    config = await discover('agent', client.ClientSecretPost('wrong'))
    const error = await failure(initiate())
    expect([error.error, error.status]).to.deep.equal(['invalid_client', 401])
  })
})
