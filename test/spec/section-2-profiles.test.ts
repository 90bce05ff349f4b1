import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { type BackchannelOptions, type ClientMetadata, createBackchannel, type Jwk } from 'express-ciba'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const server = await generateKeyPair('PS256', { extractable: true })
const keys = { keys: [{ ...((await exportJWK(server.privateKey)) as Jwk), alg: 'PS256', kid: 's' }] }
const pair = await generateKeyPair('ES256', { extractable: true })
const till: ClientMetadata = {
  client_id: 'till',
  token_endpoint_auth_method: 'private_key_jwt',
  backchannel_token_delivery_mode: 'poll',
  backchannel_authentication_request_signing_alg: 'ES256',
  id_token_signed_response_alg: 'PS256',
  jwks: { keys: [{ ...((await exportJWK(pair.publicKey)) as Jwk), kid: 'c', alg: 'ES256' }] },
}

const make = (options: Record<string, unknown>) => () =>
  createBackchannel({
    issuer: 'https://login.example.com',
    clients: { find: () => undefined },
    users: { find: () => undefined },
    logger: { info() {}, warn() {}, error() {} },
    keys,
    ...options,
  } as BackchannelOptions)

describe('the FAPI profiles', () => {
  for (const profile of ['fapi-ciba', 'fapi2-ciba']) {
    it(`${profile} starts by itself`, () => {
      expect(make({ profile })).not.to.throw()
    })
    for (const [what, options, message] of [
      [
        'FCIBA-4.1.1-03 push',
        { delivery: { modes: ['poll', 'push'] } },
        /option "delivery.modes" contradicts .* remove "push"/,
      ],
      [
        'FAPI1-5.2.2-01, FAPI2-5.3.2.1-03, FCIBA-4.1.1-01, R9700-2.5-01 secrets',
        { clientAuth: { methods: ['client_secret_basic'] } },
        /option "clientAuth.methods" contradicts .* remove "client_secret_basic"/,
      ],
      [
        'FAPI1-8.6-01 keys for RS256 alone',
        { keys: { keys: [{ ...keys.keys[0], alg: 'RS256' }] } },
        /option "keys" has no private key for PS256/,
      ],
    ] as const) {
      it(`${profile} refuses at start: ${what}`, () => {
        expect(make({ profile, ...options })).to.throw(TypeError, message)
      })
    }
  }

  it('FAPI2-5.3.2.1-04 refuses another audience rule at start', () => {
    expect(make({ profile: 'fapi2-ciba', clientAuth: { assertionAudience: 'any-endpoint' } })).to.throw(
      TypeError,
      /option "clientAuth.assertionAudience" contradicts/,
    )
  })
})

describe('a server under fapi-ciba', () => {
  let host: Host
  before(async () => {
    host = await startHost({ profile: 'fapi-ciba', keys, clients: { find: () => till } })
  })
  after(() => host.close())

  const now = () => Math.floor(Date.now() / 1000)
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ iss: 'till', iat: now(), nbf: now(), exp: now() + 300, jti: crypto.randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'c' })
      .sign(pair.privateKey)
  const asTill = async () => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({ iss: 'till', sub: 'till', aud: host.origin, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('1m')
      .sign(pair.privateKey),
  })
  const request = async (claims: Record<string, unknown> = {}) => {
    const form = {
      ...(await asTill()),
      request: await sign({
        aud: host.origin,
        scope: 'openid',
        login_hint: 'alice@example.com',
        binding_message: '1234',
        ...claims,
      }),
    }
    return clientOf(host).start(form, {})
  }
  const proof = async (key = pair) =>
    new SignJWT({ htm: 'POST', htu: `${host.origin}/oidc/token`, jti: crypto.randomUUID(), iat: now() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(key.publicKey) })
      .sign(key.privateKey)
  const token = async (auth_req_id: string, headers: Record<string, string> = {}) =>
    clientOf(host).post(
      '/oidc/token',
      { ...(await asTill()), grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id },
      headers,
    )

  it('FCIBA-4.1.1-10 refuses plain parameters', async () => {
    const { status, body } = await clientOf(host).start(
      { ...(await asTill()), scope: 'openid', login_hint: 'alice' },
      {},
    )
    expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
  })

  it('FCIBA-4.1.1-02 needs a binding message', async () => {
    expect((await request({ binding_message: undefined })).body.error).to.equal('invalid_binding_message')
    expect((await request()).status).to.equal(200)
  })

  it('refuses a message of 456 code points with emoji and CJK', async () => {
    expect((await request({ binding_message: '👍🏿品川 hello '.repeat(40) })).body.error).to.equal(
      'invalid_binding_message',
    )
  })

  it('R9449-0-01, FAPI1-5.2.2-02, FAPI1-5.2.2-07, FAPI2-5.3.2.1-02, R9700-2.2-01 asks for a key before it says anything about the request', async () => {
    const { body } = await request()
    expect((await token(body.auth_req_id)).body.error).to.equal('invalid_request')
    expect((await token('unknown')).body.error).to.equal('invalid_request')
    expect((await token(body.auth_req_id, { dpop: await proof() })).body.error).to.equal('authorization_pending')
  })

  it('R9449-5-01 binds the access token to the proven key', async () => {
    const { body } = await request()
    await clientOf(host).complete({ auth_req_id: body.auth_req_id, approved: true })
    const answer = await token(body.auth_req_id, { dpop: await proof() })
    expect([answer.status, answer.body.token_type]).to.deep.equal([200, 'DPoP'])
    const { crv, kty, x, y } = (await exportJWK(pair.publicKey)) as Record<string, string>
    const jkt = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
    expect(decodeJwt(answer.body.access_token).cnf).to.deep.equal({ jkt })
  })

  it('FAPI1-8.6-01 publishes and uses PS256 and ES256 alone', async () => {
    const document = (await (await fetch(`${host.origin}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >
    expect(document.backchannel_authentication_request_signing_alg_values_supported).to.deep.equal(['PS256', 'ES256'])
    expect(document.token_endpoint_auth_signing_alg_values_supported).to.deep.equal(['PS256', 'ES256'])
    expect(document.id_token_signing_alg_values_supported).to.deep.equal(['PS256'])
    expect(document.token_endpoint_auth_methods_supported).to.deep.equal([
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ])
  })
})
