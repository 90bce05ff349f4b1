import { X509Certificate } from 'node:crypto'
import https from 'node:https'
import { type AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { expect } from 'chai'
import type { ClientMetadata, GetCertificate } from 'express-ciba'
import type { JWK } from 'jose'
import type { Call } from '../../lib/core/http/call.ts'
import { authentication, callWith, outcome, reason } from '../helpers/authentication.ts'
import { makeCertificate, makeServerCertificate } from '../helpers/certificates.ts'
import { contextFor } from '../helpers/context.ts'

describe('client authentication by certificate', () => {
  const authority = makeCertificate({ subject: '/CN=Bank authority', authority: true })
  const till = makeCertificate({
    subject: '/C=DE/O=Corner Bank/CN=till',
    issuer: authority,
    altNames: 'DNS:till.example,URI:spiffe://bank/till,IP:10.1.2.3,IP:2001:db8::1,email:till@example.com',
  })
  const shown = (pem: { cert: string }, chained = true) => ({
    certificate: () => ({ x509: new X509Certificate(pem.cert), chained }),
  })
  const mtls = (metadata: Partial<ClientMetadata>) =>
    authentication({ till: { token_endpoint_auth_method: 'tls_client_auth', ...metadata } }).authenticate

  for (const [member, right, wrong] of [
    ['tls_client_auth_subject_dn', 'CN=till,O=Corner Bank,C=DE', 'CN=till,O=Other Bank,C=DE'],
    ['tls_client_auth_san_dns', 'till.example', 'example'],
    ['tls_client_auth_san_uri', 'spiffe://bank/till', 'spiffe://bank'],
    ['tls_client_auth_san_ip', '10.1.2.3', '10.1.2.4'],
    ['tls_client_auth_san_ip', '2001:0db8:0:0::1', '2001:db8::2'],
    ['tls_client_auth_san_email', 'till@example.com', 'evil@example.com'],
  ] as const) {
    it(`R8705-2-02 matches ${member}`, async () => {
      expect(await outcome(mtls({ [member]: right })(callWith({ client_id: 'till' }, shown(till))))).to.equal('till')
      expect(await outcome(mtls({ [member]: wrong })(callWith({ client_id: 'till' }, shown(till))))).to.equal(
        '401 invalid_client',
      )
    })
  }

  it('R8705-2-02 refuses a certificate without a subject where one is registered', async () => {
    const nameless = makeCertificate({ subject: '/', issuer: authority, altNames: 'DNS:till.example' })
    const call = callWith({ client_id: 'till' }, shown(nameless))
    const bySubject = mtls({ tls_client_auth_subject_dn: 'CN=till' })(call)
    expect(await outcome(bySubject)).to.equal('401 invalid_client')
    expect(await outcome(mtls({ tls_client_auth_san_dns: 'till.example' })(call))).to.equal('till')
  })

  it('R8705-2-02 refuses a certificate without other names where one is registered', async () => {
    const plain = makeCertificate({ subject: '/CN=till', issuer: authority })
    const authenticate = mtls({ tls_client_auth_san_dns: 'till.example' })
    expect(await outcome(authenticate(callWith({ client_id: 'till' }, shown(plain))))).to.equal('401 invalid_client')
  })

  it('R8705-2-02 reads a name that holds what separates names', async () => {
    const sly = makeCertificate({
      subject: '/CN=sly',
      issuer: authority,
      altNames: '@names\n[names]\nURI.1=https://sly.example/, DNS:till.example, IP Address:10.1.2.3, \\"x\\"',
    })
    const call = callWith({ client_id: 'till' }, shown(sly))
    expect(await outcome(mtls({ tls_client_auth_san_dns: 'till.example' })(call))).to.equal('401 invalid_client')
    expect(await outcome(mtls({ tls_client_auth_san_ip: '10.1.2.3' })(call))).to.equal('401 invalid_client')
    const whole = 'https://sly.example/, DNS:till.example, IP Address:10.1.2.3, "x"'
    expect(await outcome(mtls({ tls_client_auth_san_uri: whole })(call))).to.equal('till')
  })

  it('R8705-2-02 takes a name for the kind it was issued as, and no wildcard', async () => {
    const other = makeCertificate({
      subject: '/CN=till.example',
      issuer: authority,
      altNames: 'DNS:*.example,URI:till.example,email:till@example.com',
    })
    for (const member of ['tls_client_auth_san_dns', 'tls_client_auth_san_email', 'tls_client_auth_san_ip']) {
      const authenticate = mtls({ [member]: 'till.example' })
      expect(await reason(authenticate(callWith({ client_id: 'till' }, shown(other))))).to.match(/another subject/)
    }
  })

  it('R8705-2-01, CIBA-7.1-28 wants a chain for tls_client_auth, a certificate in any case, and one that is not over', async () => {
    const member = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'till.example' } as const
    const { authenticate, clock } = authentication({ till: member })
    const because = (rest?: Partial<Call>) => reason(authenticate(callWith({ client_id: 'till' }, rest)))
    expect(await because(shown(till, false))).to.match(/does not chain/)
    expect(await because()).to.match(/no client certificate/)
    clock.now += 3 * 86_400_000
    expect(await because(shown(till))).to.match(/is over/)
    clock.now -= 5 * 86_400_000
    expect(await because(shown(till))).to.match(/not valid yet/)
  })

  const keyOf = (pem: { cert: string }) =>
    new X509Certificate(pem.cert).publicKey.export({ format: 'jwk' }) as JWK & { kty: string }
  const chainOf = (pem: { cert: string }) => [new X509Certificate(pem.cert).raw.toString('base64')]
  const selfSigned = { token_endpoint_auth_method: 'self_signed_tls_client_auth' } as const
  const own = makeCertificate({ subject: '/CN=anything' })
  const rsa = makeCertificate({ subject: '/CN=anything', type: 'rsa' })
  const other = makeCertificate({ subject: '/CN=anything' })
  const broken = { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', x5c: ['no certificate'] }

  for (const [what, jwks] of [
    ['the key', { keys: [keyOf(own)] }],
    ['an RSA key', { keys: [keyOf(rsa)] }],
    ['the certificate', { keys: [{ ...keyOf(own), x5c: chainOf(own) }] }],
    ['the certificate alone', { keys: [{ kty: 'EC', x5c: chainOf(own) }] }],
    ['one of several', { keys: [broken, keyOf(other), keyOf(own)] }],
  ] as const) {
    it(`R8705-2-02 finds a self-signed certificate by ${what} in the registered set`, async () => {
      const shownOne = what === 'an RSA key' ? rsa : own
      const authenticate = mtls({ ...selfSigned, jwks })
      expect(await outcome(authenticate(callWith({ client_id: 'till' }, shown(shownOne, false))))).to.equal('till')
    })
  }

  for (const [what, jwks] of [
    ['of another key', { keys: [keyOf(other)] }],
    ['of another certificate', { keys: [{ ...keyOf(other), x5c: chainOf(other) }] }],
    ['of a set that cannot be read', { keys: [broken] }],
  ] as const) {
    it(`R8705-2-02 refuses a self-signed certificate ${what}, and one of a trusted authority too`, async () => {
      const authenticate = mtls({ ...selfSigned, jwks })
      for (const chained of [true, false])
        expect(await reason(authenticate(callWith({ client_id: 'till' }, shown(own, chained))))).to.match(/not among/)
    })
  }

  it('finds the key of a new certificate at jwks_uri within a minute', async () => {
    const sets = [{ keys: [keyOf(other)] }, { keys: [keyOf(own)] }]
    const { authenticate, clock, fetched } = authentication(
      { till: { ...selfSigned, jwks_uri: 'https://till.example/jwks' } },
      { fetchJson: async () => sets.shift() },
    )
    const call = callWith({ client_id: 'till' }, shown(own, false))
    for (let n = 0; n < 20; n++) expect(await outcome(authenticate(call))).to.equal('401 invalid_client')
    expect(fetched).to.have.length(1)
    clock.now += 61_000
    expect(await outcome(authenticate(call))).to.equal('till')
  })

  it('hands the thumbprint on', async () => {
    const { certificateThumbprint } = await mtls({ tls_client_auth_san_dns: 'till.example' })(
      callWith({ client_id: 'till' }, shown(till)),
    )
    const wanted = new X509Certificate(till.cert).fingerprint256.replaceAll(':', '')
    expect(
      Buffer.from(certificateThumbprint ?? '', 'base64url')
        .toString('hex')
        .toUpperCase(),
    ).to.equal(wanted)
  })
})

describe('the certificate of a connection', () => {
  const { certificateOf } = contextFor()
  const { authority, server } = makeServerCertificate()
  const chained = makeCertificate({ subject: '/CN=till', issuer: authority })
  const selfMade = makeCertificate({ subject: '/CN=till' })
  const listening = https.createServer(
    { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: false },
    (req, res) => {
      const certificate = certificateOf(req as never)
      const resumed = (req.socket as TLSSocket).isSessionReused()
      res.end(JSON.stringify({ raw: certificate?.x509.raw.toString('base64'), chained: certificate?.chained, resumed }))
    },
  )
  before(() => new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve)))
  after(() => new Promise((resolve) => listening.close(resolve)))

  const get = (options: https.RequestOptions) =>
    new Promise<{ raw?: string; chained?: boolean; resumed: boolean }>((resolve, reject) => {
      const { port } = listening.address() as AddressInfo
      https
        .get({ host: '127.0.0.1', port, ca: authority.cert, agent: false, ...options }, async (res) => {
          resolve(JSON.parse(Buffer.concat(await res.toArray()).toString()))
        })
        .on('error', reject)
    })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version }
    it(`is read from a socket of ${version}, with what the server says about its chain`, async () => {
      const [good, bad] = [await get({ ...only, ...chained }), await get({ ...only, ...selfMade })]
      expect(good).to.include({ raw: new X509Certificate(chained.cert).raw.toString('base64'), chained: true })
      expect(bad).to.include({ raw: new X509Certificate(selfMade.cert).raw.toString('base64'), chained: false })
      expect((await get(only)).raw).to.equal(undefined)
    })

    it(`is the same in a resumed session of ${version}`, async () => {
      for (const [pem, isChained] of [
        [chained, true],
        [selfMade, false],
      ] as const) {
        const agent = new https.Agent({ ...only, ...pem, ca: authority.cert, maxCachedSessions: 10 })
        const first = await get({ agent })
        await new Promise((resolve) => setTimeout(resolve, 20)) // the ticket of TLS 1.3 comes after the handshake
        const second = await get({ agent })
        agent.destroy()
        expect(second.raw, 'the certificate').to.equal(first.raw)
        expect([first.chained, second.chained]).to.deep.equal([isChained, isChained])
        expect(second.resumed, 'resumed').to.equal(true)
      }
    })
  }

  it('threat 31, R9700-4.13-01 is never read from a header', async () => {
    const headers = { 'x-client-cert': encodeURIComponent(chained.cert), 'client-cert': `:${chainText(chained)}:` }
    expect((await get({ headers })).raw).to.equal(undefined)
    expect(certificateOf({ socket: new Socket(), headers } as never)).to.equal(undefined)
  })

  it('is what the host’s own reader says, and an outage where that fails', () => {
    const x509 = new X509Certificate(selfMade.cert)
    const readBy = (getCertificate: GetCertificate) => contextFor({ clientAuth: { getCertificate } })
    const call = { socket: new Socket(), headers: {} } as never
    expect(readBy(() => x509).certificateOf(call)).to.deep.equal({ x509, chained: true })
    for (const none of [undefined, null as never])
      expect(readBy(() => none).certificateOf(call), String(none)).to.equal(undefined)
    const down = readBy(() => {
      throw new Error('the proxy is down')
    })
    expect(() => down.certificateOf(call))
      .to.throw()
      .with.include({ status: 503, code: 'temporarily_unavailable' })
    expect(down.events).to.have.length(1)
    expect(down.events[0]).to.include({ type: 'outage', of: 'clients' })
    const late = readBy((async () => x509) as never)
    expect(() => late.certificateOf(call)).to.throw(TypeError, 'option "clientAuth.getCertificate" must answer at once')
  })

  function chainText(pem: { cert: string }): string {
    return new X509Certificate(pem.cert).raw.toString('base64')
  }
})
