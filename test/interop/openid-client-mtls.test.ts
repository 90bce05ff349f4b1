import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { Agent, fetch, request } from 'undici'
import { makeCertificate, makeServerCertificate } from '../helpers/certificates.ts'
import { type Program, startProgram } from '../helpers/program.ts'

describe('openid-client over mutual TLS', function () {
  this.timeout(30_000)
  const { authority, server } = makeServerCertificate()
  const certificate = makeCertificate({ subject: '/CN=till' })
  const x509 = new X509Certificate(certificate.cert)
  const agent = new Agent({ connect: { ca: authority.cert, ...certificate } })
  let folder: string
  let program: Program
  let op: Record<string, string>
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'express-ciba-mtls-'))
    const file = join(folder, 'config.json')
    const till = {
      client_id: 'till',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      tls_client_certificate_bound_access_tokens: true,
      backchannel_token_delivery_mode: 'poll',
      grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
      jwks: { keys: [{ ...x509.publicKey.export({ format: 'jwk' }), x5c: [x509.raw.toString('base64')] }] },
    }
    writeFileSync(file, JSON.stringify({ tls: { ...server, mtlsPort: 0 }, approve: true, clients: [till] }))
    program = startProgram(['--import', 'tsx', 'examples/op/main.ts', file])
    op = JSON.parse(await program.line(/^\{/))
  })
  after(async () => {
    await program.stop()
    await agent.close()
    rmSync(folder, { recursive: true })
  })

  it('R8705-3-01 authenticates by its certificate, and gets tokens bound to it, at first and refreshed', async () => {
    const config = await client.discovery(
      new URL(String(op.discovery_url)),
      'till',
      { use_mtls_endpoint_aliases: true },
      client.TlsClientAuth(),
      {
        [client.customFetch]: ((url: string, options: object) =>
          fetch(url, { ...options, dispatcher: agent })) as unknown as client.CustomFetch,
      },
    )
    const started = await client.initiateBackchannelAuthentication(config, {
      scope: 'openid',
      login_hint: String(op.login_hint),
    })
    const approve = String(op.approve_url).replace('{auth_req_id}', started.auth_req_id).replace('{action}', 'allow')
    await request(approve, { dispatcher: agent, method: 'POST' })
    const tokens = await client.pollBackchannelAuthenticationGrant(config, { ...started, interval: 1 })
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', x509.raw)).toString('base64url')
    expect(decodeJwt(tokens.access_token).cnf).to.deep.equal({ 'x5t#S256': digest })
    const fresh = await client.refreshTokenGrant(config, String(tokens.refresh_token))
    expect(decodeJwt(fresh.access_token).cnf).to.deep.equal({ 'x5t#S256': digest })
    expect(await client.tokenIntrospection(config, fresh.access_token)).to.deep.include({
      active: true,
      cnf: { 'x5t#S256': digest },
    })
  })
})
