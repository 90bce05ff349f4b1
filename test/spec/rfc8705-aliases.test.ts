import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)
const mtls = 'https://mtls.login.example.com'
const client: ClientMetadata = {
  client_id: 'jwt',
  token_endpoint_auth_method: 'private_key_jwt',
  backchannel_token_delivery_mode: 'poll',
  jwks: { keys: [jwk as { kty: string }] },
}

describe('RFC 8705 5: aliases for mutual TLS', () => {
  let host: Host
  const start = async (options: object = {}) => {
    host = await startHost({ clients: { find: ({ clientId: id }) => (id === 'jwt' ? client : undefined) }, ...options })
  }
  afterEach(() => host.close())

  const now = () => Math.floor(Date.now() / 1000)
  const sign = (claims: JWTPayload, header: object = {}) =>
    new SignJWT({ jti: crypto.randomUUID(), iat: now(), ...claims })
      .setProtectedHeader({ alg: 'ES256', ...header })
      .sign(privateKey)
  const post = async (path: string, aud: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    clientOf(host).post(
      path,
      {
        ...form,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await sign({ iss: 'jwt', sub: 'jwt', aud, exp: now() + 60 }),
      },
      headers,
    )
  const ask = { scope: 'openid', login_hint: 'alice@example.com' }
  const unknown = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: 'x' }

  it('R8705-5-01: publishes them from the same routes, and only when they are elsewhere', async () => {
    await start({ mtlsBaseUrl: `${mtls}/base/`, paths: { token: '/oauth/token' } })
    expect(host.router.backchannel.metadata()).to.deep.include({
      token_endpoint: `${host.origin}/oauth/token`,
      mtls_endpoint_aliases: {
        token_endpoint: `${mtls}/base/oauth/token`,
        backchannel_authentication_endpoint: `${mtls}/base/oidc/backchannel`,
        revocation_endpoint: `${mtls}/base/oidc/revoke`,
        introspection_endpoint: `${mtls}/base/oidc/introspect`,
      },
    })
    await host.close()
    await start({ issuer: mtls, mtlsBaseUrl: `${mtls}/with-certificates` })
    expect(host.router.backchannel.metadata().mtls_endpoint_aliases).to.include({
      token_endpoint: `${mtls}/with-certificates/oidc/token`,
    })
    await host.close()
    await start()
    expect(host.router.backchannel.metadata()).not.to.have.property('mtls_endpoint_aliases')
  })

  it('takes an alias as audience of a client assertion', async () => {
    await start({ mtlsBaseUrl: mtls })
    expect((await post('/oidc/backchannel', `${mtls}/oidc/backchannel`, ask)).status).to.equal(200)
    expect((await post('/oidc/token', `${mtls}/oidc/token`, unknown)).body.error).to.equal('invalid_grant')
    expect((await post('/oidc/token', `${mtls}/other`, unknown)).body.error).to.equal('invalid_client')
  })

  it('takes no alias where the issuer alone may be the audience', async () => {
    await start({ mtlsBaseUrl: mtls, clientAuth: { assertionAudience: 'issuer' } })
    expect((await post('/oidc/token', `${mtls}/oidc/token`, unknown)).body.error).to.equal('invalid_client')
    expect((await post('/oidc/token', host.origin, unknown)).body.error).to.equal('invalid_grant')
  })

  it('takes a DPoP proof for the alias', async () => {
    await start({ mtlsBaseUrl: mtls })
    const proof = (htu: string) => sign({ htm: 'POST', htu }, { typ: 'dpop+jwt', jwk })
    const outcome = async (htu: string) =>
      (await post('/oidc/token', host.origin, unknown, { dpop: await proof(htu) })).body.error
    expect(await outcome(`${mtls}/oidc/token`)).to.equal('invalid_grant')
    expect(await outcome(`${host.origin}/oidc/token`)).to.equal('invalid_grant')
    expect(await outcome(`${mtls}/oidc/backchannel`)).to.equal('invalid_dpop_proof')
  })
})
