import { expect } from 'chai'
import { type BackchannelOptions, cibaGrantType, createBackchannel } from 'express-ciba'
import { startHost } from '../helpers/host.ts'

describe('CIBA Core 4: discovery', () => {
  const engine = (options = {}) =>
    createBackchannel({
      issuer: 'https://login.example.com',
      clients: { find: () => undefined },
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
    expect(engine({ requests: { acrValues: ['urn:a'] } }).metadata().acr_values_supported).to.deep.equal(['urn:a'])
  })

  it('R8414-2-02 names the algorithms of JWT methods, and never none', () => {
    const algs = engine().metadata().token_endpoint_auth_signing_alg_values_supported
    expect(algs).to.include('ES256').and.not.include('none')
    const basic = engine({ clientAuth: { methods: ['client_secret_basic'] } }).metadata()
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

describe('backchannel.mergeMetadata', () => {
  const issuer = 'https://login.example.com'
  const engine = (options: Partial<BackchannelOptions> = {}) =>
    createBackchannel({
      issuer,
      clients: { find: () => undefined },
      users: { find: () => undefined },
      logger: { info() {}, warn() {}, error() {} },
      ...options,
    })
  const document = {
    issuer: 'https://op.example.com',
    jwks_uri: 'https://op.example.com/keys',
    authorization_endpoint: 'https://op.example.com/authorize',
    token_endpoint: 'https://op.example.com/token',
    grant_types_supported: ['authorization_code', 'refresh_token'],
    response_types_supported: ['code'],
    scopes_supported: ['payments', 'openid'],
    claims_parameter_supported: false,
  }

  it("keeps what the host says, its issuer and jwks_uri too, and the host's document as it is", () => {
    const before = structuredClone(document)
    const merged = engine().mergeMetadata(document)
    const { issuer, jwks_uri, authorization_endpoint, token_endpoint, claims_parameter_supported } = document
    expect(merged).to.include({ issuer, jwks_uri, authorization_endpoint, token_endpoint, claims_parameter_supported })
    expect(document).to.deep.equal(before)
  })

  it('joins lists, each value once', () => {
    const merged = engine({ requests: { scopes: ['openid', 'email'] } }).mergeMetadata(document)
    expect(merged).to.deep.include({
      grant_types_supported: ['authorization_code', 'refresh_token', cibaGrantType],
      scopes_supported: ['payments', 'openid', 'email'],
      response_types_supported: ['code'],
    })
  })

  it('adds ours where the host says nothing', () => {
    const backchannel = engine()
    expect(backchannel.mergeMetadata(document)).to.deep.include({
      backchannel_authentication_endpoint: `${issuer}/oidc/backchannel`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      revocation_endpoint: `${issuer}/oidc/revoke`,
    })
    expect(backchannel.mergeMetadata({})).to.deep.equal(backchannel.metadata())
    expect(backchannel.mergeMetadata(backchannel.metadata())).to.deep.equal(backchannel.metadata())
  })

  it("joins the aliases for mutual TLS, the host's first", () => {
    const token_endpoint = 'https://mtls.op.example.com/token'
    const { mtls_endpoint_aliases } = engine({ mtlsBaseUrl: 'https://mtls.example.com' }).mergeMetadata({
      mtls_endpoint_aliases: { token_endpoint },
    })
    expect(mtls_endpoint_aliases).to.include({
      token_endpoint,
      backchannel_authentication_endpoint: 'https://mtls.example.com/oidc/backchannel',
    })
  })
})
