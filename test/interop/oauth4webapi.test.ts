import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import * as oauth from 'oauth4webapi'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
const till: oauth.Client = { client_id: 'till' }

describe('oauth4webapi', () => {
  let host: Host
  let as: oauth.AuthorizationServer
  let auth: oauth.ClientAuth
  beforeEach(async () => {
    host = await startHost({ polling: { intervalSeconds: 1 } })
    const issuer = new URL(host.origin)
    // the document names the issuer without the slash that URL adds
    as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
    auth = oauth.ClientSecretBasic('till-secret-0123456789-0123456789')
  })
  afterEach(() => host.close())

  async function initiate(parameters: Record<string, string> = {}) {
    const response = await oauth.backchannelAuthenticationRequest(
      as,
      till,
      auth,
      { scope: 'openid', login_hint: 'alice@example.com', ...parameters },
      insecure,
    )
    return oauth.processBackchannelAuthenticationResponse(as, till, response)
  }

  /** The package's own loop, as its examples write it. */
  async function poll({ auth_req_id, interval = 5 }: oauth.BackchannelAuthenticationResponse) {
    for (let wait = interval; ; ) {
      await sleep(wait * 1000)
      const response = await oauth.backchannelAuthenticationGrantRequest(as, till, auth, auth_req_id, insecure)
      try {
        const tokens = await oauth.processBackchannelAuthenticationGrantResponse(as, till, response)
        await oauth.validateApplicationLevelSignature(as, response, insecure)
        return tokens
      } catch (thrown) {
        if (!(thrown instanceof oauth.ResponseBodyError)) throw thrown
        if (thrown.error === 'slow_down') wait += 5
        else if (thrown.error !== 'authorization_pending') throw thrown
      }
    }
  }

  const errorOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'none',
      (thrown) => (thrown as oauth.ResponseBodyError).error,
    )

  it('initiates, polls and validates the tokens, signature included', async () => {
    const started = await initiate()
    setTimeout(() => clientOf(host).complete({ auth_req_id: started.auth_req_id, approved: true }), 1200)
    const tokens = await poll(started)
    expect(oauth.getValidatedIdTokenClaims(tokens)).to.include({ sub: 'alice', aud: 'till', iss: host.origin })
  })

  it('hears of denial, expiry, an unknown user and a bad message by their codes', async () => {
    const denied = await initiate()
    await clientOf(host).complete({ auth_req_id: denied.auth_req_id, approved: false })
    expect(await errorOf(poll(denied))).to.equal('access_denied')
    const expired = await initiate({ requested_expiry: '20' })
    host.pass(21)
    expect(await errorOf(poll(expired))).to.equal('expired_token')
    expect(await errorOf(initiate({ login_hint: 'nobody@example.com' }))).to.equal('unknown_user_id')
    expect(await errorOf(initiate({ binding_message: 'a\u202Eb' }))).to.equal('invalid_binding_message')
  })
})
