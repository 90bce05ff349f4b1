import { expect } from 'chai'
import { createBackchannel } from 'express-ciba'
import { startHost } from '../helpers/host.ts'

describe('CIBA Core 4: discovery', () => {
  const engine = (options = {}) =>
    createBackchannel({
      issuer: 'https://login.example.com',
      clients: () => undefined,
      users: { find: () => undefined },
      logger: { info() {}, warn() {}, error() {} },
      ...options,
    })

  it('CIBA-4-02..06 publishes the members of its own', () => {
    expect(engine().metadata()).to.deep.include({
      backchannel_authentication_endpoint: 'https://login.example.com/oidc/backchannel',
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      backchannel_user_code_parameter_supported: false,
    })
    expect(engine().metadata().grant_types_supported).to.include('urn:openid:params:grant-type:ciba')
  })

  it('R8414-2-01 leaves out members without values', () => {
    expect(engine().metadata()).not.to.have.property('acr_values_supported')
    expect(engine({ acrValues: ['urn:a'] }).metadata().acr_values_supported).to.deep.equal(['urn:a'])
  })

  it('R8414-2-02 names the algorithms of JWT methods, and never none', () => {
    const algs = engine().metadata().token_endpoint_auth_signing_alg_values_supported
    expect(algs).to.include('ES256').and.not.include('none')
    const basic = engine({ clientAuthMethods: ['client_secret_basic'] }).metadata()
    expect(basic).not.to.have.property('token_endpoint_auth_signing_alg_values_supported')
  })

  it('follows changed paths and the public base URL', () => {
    const metadata = engine({ baseUrl: 'https://login.example.com/ciba', paths: { token: '/token' } }).metadata()
    expect(metadata.token_endpoint).to.equal('https://login.example.com/ciba/token')
    expect(metadata.jwks_uri).to.equal('https://login.example.com/ciba/oidc/jwks')
  })

  it('is served, with the public keys and nothing private', async () => {
    const host = await startHost()
    const document = (await (await fetch(`${host.origin}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string
    >
    expect(document.issuer).to.equal(host.origin)
    const jwks = (await (await fetch(document.jwks_uri ?? '')).json()) as { keys: object[] }
    expect(jwks.keys).to.have.length(1)
    for (const key of jwks.keys) {
      expect(key).to.include.keys('kid', 'alg', 'use', 'kty')
      expect(key).not.to.have.any.keys('d', 'p', 'q', 'dp', 'dq', 'qi', 'k')
    }
    await host.close()
  })
})
