import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { Agent, request } from 'undici'
import { makeCertificate, makeServerCertificate } from '../helpers/certificates.ts'
import { type Program, startProgram } from '../helpers/program.ts'

const secret = 'a-secret-of-at-least-32-characters'
const posting = { token_endpoint_auth_method: 'client_secret_post', backchannel_token_delivery_mode: 'poll' }
const { authority, server } = makeServerCertificate()
const agents = [makeCertificate({ subject: '/CN=one' }), makeCertificate({ subject: '/CN=two' }), {}].map(
  (certificate) => new Agent({ connect: { ca: authority.cert, ...certificate } }),
)
const [one, two, bare] = agents as [Agent, Agent, Agent]
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)

describe('examples/op over TLS', function () {
  this.timeout(30_000)
  let folder: string
  let program: Program
  // biome-ignore lint/suspicious/noExplicitAny: it is JSON from another process
  let op: any
  // biome-ignore lint/suspicious/noExplicitAny: and so is this
  let metadata: any
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'express-ciba-op-'))
    const file = join(folder, 'config.json')
    const common = { ...posting, client_secret: secret }
    writeFileSync(
      file,
      JSON.stringify({
        tls: { ...server, mtlsPort: 0 },
        approve: true,
        registration: true,
        clients: [
          { ...common, client_id: 'plain' },
          { ...common, client_id: 'dpop', dpop_bound_access_tokens: true },
          { ...common, client_id: 'mtls', tls_client_certificate_bound_access_tokens: true },
        ],
      }),
    )
    program = startProgram(['--import', 'tsx', 'examples/op/main.ts', file])
    op = JSON.parse(await program.line(/^\{/))
    metadata = await (await request(op.discovery_url, { dispatcher: bare })).body.json()
  })
  after(async () => {
    await program.stop()
    await Promise.all(agents.map((agent) => agent.close()))
    rmSync(folder, { recursive: true })
  })

  const proof = (claims: JWTPayload, alg = 'ES256', key = privateKey) =>
    new SignJWT({ jti: crypto.randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
      .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk })
      .sign(key)
  const ath = async (token: string) =>
    Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url')

  async function post(url: string, clientId: string, form: Record<string, string>, dispatcher: Agent, dpop?: string) {
    const { body } = await request(url, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...(dpop === undefined ? {} : { dpop }) },
      body: new URLSearchParams({ ...form, client_id: clientId, client_secret: secret }).toString(),
    })
    return (await body.json()) as Record<string, string>
  }

  async function tokenFor(clientId: string, dispatcher: Agent, dpop?: string): Promise<string> {
    const { auth_req_id = '' } = await post(
      op.backchannel_authentication_endpoint,
      clientId,
      { scope: 'openid', login_hint: op.login_hint },
      bare,
    )
    const approve = op.approve_url.replace('{auth_req_id}', auth_req_id).replace('{action}', 'allow')
    await request(approve, { dispatcher: bare, method: 'POST' })
    const { token_endpoint: url } = metadata.mtls_endpoint_aliases
    const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id }
    const { access_token = '' } = await post(url, clientId, grant, dispatcher, dpop)
    return access_token
  }

  const statusFor = async (authorization: string, dispatcher: Agent, dpop?: string) => {
    const headers = { authorization, ...(dpop === undefined ? {} : { dpop }) }
    return (await request(op.resource_url, { dispatcher, headers })).statusCode
  }

  it('has its issuer there, and aliases where certificates are asked for', () => {
    const { origin: alias } = new URL(metadata.mtls_endpoint_aliases.token_endpoint)
    expect(metadata.issuer)
      .to.equal(op.baseUrl)
      .and.match(/^https:/)
    expect(alias).to.equal(new URL(op.resource_url).origin).and.not.equal(op.baseUrl)
  })

  it('takes a bearer token from anybody, when it is bound to nothing', async () => {
    const token = await tokenFor('plain', bare)
    expect(await statusFor(`Bearer ${token}`, bare)).to.equal(200)
    expect(await statusFor(`DPoP ${token}`, bare)).to.equal(401)
  })

  it('takes a token that is bound to a certificate over that certificate alone', async () => {
    const token = await tokenFor('mtls', one)
    expect(await statusFor(`Bearer ${token}`, one)).to.equal(200)
    expect(await statusFor(`Bearer ${token}`, two)).to.equal(401)
    expect(await statusFor(`Bearer ${token}`, bare)).to.equal(401)
  })

  it('takes a token that is bound to a key with a proof of that key alone', async () => {
    const { token_endpoint } = metadata.mtls_endpoint_aliases
    const token = await tokenFor('dpop', bare, await proof({ htm: 'POST', htu: token_endpoint }))
    const good = { htm: 'GET', htu: op.resource_url, ath: await ath(token) }
    expect(await statusFor(`DPoP ${token}`, bare, await proof(good))).to.equal(200)
    expect(await statusFor(`Bearer ${token}`, bare, await proof(good))).to.equal(401)
    expect(await statusFor(`DPoP ${token}`, bare)).to.equal(401)
    for (const change of [{ htm: 'POST' }, { htu: op.baseUrl }, { ath: await ath('other') }, { iat: 1 }]) {
      expect(await statusFor(`DPoP ${token}`, bare, await proof({ ...good, ...change }))).to.equal(401)
    }
    const other = await generateKeyPair('ES256')
    expect(await statusFor(`DPoP ${token}`, bare, await proof(good, 'ES256', other.privateKey))).to.equal(401)
  })

  it('R7591-3.2.1-01 registers clients that it could serve, and forgets them when asked by themselves', async () => {
    const register = async (body: object) => {
      const headers = { 'content-type': 'application/json' }
      const url = metadata.registration_endpoint
      const answer = await request(url, { dispatcher: bare, method: 'POST', headers, body: JSON.stringify(body) })
      return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, string> }
    }
    const remove = async (url: string, token: string) =>
      (await request(url, { dispatcher: bare, method: 'DELETE', headers: { authorization: `Bearer ${token}` } }))
        .statusCode
    const ask = async (clientId: string, clientSecret: string) => {
      const form = { scope: 'openid', login_hint: op.login_hint, client_secret: clientSecret, client_id: clientId }
      const body = new URLSearchParams(form).toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const url = op.backchannel_authentication_endpoint
      return (await request(url, { dispatcher: bare, method: 'POST', headers, body })).statusCode
    }

    const wrong = await register({ token_endpoint_auth_method: 'none' })
    expect([wrong.status, wrong.body.error]).to.deep.equal([400, 'invalid_client_metadata'])
    const { status, body } = await register(posting)
    const { client_id = '', client_secret = '', registration_client_uri: uri = '' } = body
    expect(status).to.equal(201)
    expect(await ask(client_id, client_secret)).to.equal(200)
    expect(await remove(uri, 'guess')).to.equal(401)
    expect(await remove(uri, body.registration_access_token ?? '')).to.equal(204)
    expect(await ask(client_id, client_secret)).to.equal(401)
  })
})
