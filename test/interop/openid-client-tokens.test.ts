import { expect } from 'chai'
import { calculateJwkThumbprint, decodeJwt, exportJWK } from 'jose'
import * as client from 'openid-client'
import { clientOf } from '../helpers/client.ts'
import { clients, type Host, startHost } from '../helpers/host.ts'

describe('openid-client, beyond the first tokens', () => {
  let host: Host
  let config: client.Configuration
  beforeEach(async () => {
    host = await startHost({
      polling: { intervalSeconds: 1 },
      clientAuth: { dpopNonce: true },
      clients: {
        find: ({ clientId: id }) => {
          const found = clients.find(({ client_id }) => client_id === id)
          return found && { ...found, grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'] }
        },
      },
    })
    const auth = client.ClientSecretPost('agent-secret-0123456789-0123456789')
    config = await client.discovery(new URL(host.origin), 'agent', undefined, auth, {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    })
  })
  afterEach(() => host.close())

  const approved = async (options?: client.DPoPOptions) => {
    const parameters = { scope: 'openid offline_access', login_hint: 'alice@example.com' }
    const started = await client.initiateBackchannelAuthentication(config, parameters)
    await clientOf(host).complete({ auth_req_id: started.auth_req_id, approved: true })
    return client.pollBackchannelAuthenticationGrant(config, started, undefined, options)
  }

  it('binds tokens by DPoP, answers the demand for a nonce, and refreshes them with the same key', async () => {
    const keys = await client.randomDPoPKeyPair('ES256', { extractable: true })
    const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey))
    const DPoP = client.getDPoPHandle(config, keys)
    const tokens = await approved({ DPoP })
    expect(tokens.token_type).to.equal('dpop')
    expect(decodeJwt(tokens.access_token).cnf).to.deep.equal({ jkt })
    const fresh = await client.refreshTokenGrant(config, String(tokens.refresh_token), undefined, { DPoP })
    expect(decodeJwt(fresh.access_token).cnf).to.deep.equal({ jkt })
    expect(fresh.claims()?.sub).to.equal('alice')
  })

  it('introspects and revokes', async () => {
    const { access_token, refresh_token } = await approved()
    expect(await client.tokenIntrospection(config, access_token)).to.include({ active: true, sub: 'alice' })
    await client.tokenRevocation(config, String(refresh_token))
    expect(await client.tokenIntrospection(config, access_token)).to.deep.equal({ active: false })
  })
})
