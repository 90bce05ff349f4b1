import { X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { authentication, callWith, outcome } from '../helpers/authentication.ts'
import { makeCertificate } from '../helpers/certificates.ts'

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

  it('wants a chain for tls_client_auth, a certificate in any case, and one that is not over', async () => {
    const authenticate = mtls({ tls_client_auth_san_dns: 'till.example' })
    expect(await outcome(authenticate(callWith({ client_id: 'till' }, shown(till, false))))).to.equal(
      '401 invalid_client',
    )
    expect(await outcome(authenticate(callWith({ client_id: 'till' })))).to.equal('401 invalid_client')
    const { authenticate: later, clock } = authentication({
      till: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'till.example' },
    })
    clock.now += 3 * 86_400_000
    expect(await outcome(later(callWith({ client_id: 'till' }, shown(till))))).to.equal('401 invalid_client')
  })

  it('finds a self-signed certificate by the key in the registered set', async () => {
    const own = makeCertificate({ subject: '/CN=anything' })
    const other = makeCertificate({ subject: '/CN=anything' })
    const key = new X509Certificate(own.cert).publicKey.export({ format: 'jwk' }) as { kty: string }
    const authenticate = mtls({ token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [key] } })
    expect(await outcome(authenticate(callWith({ client_id: 'till' }, shown(own, false))))).to.equal('till')
    expect(await outcome(authenticate(callWith({ client_id: 'till' }, shown(other, false))))).to.equal(
      '401 invalid_client',
    )
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
