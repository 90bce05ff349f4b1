import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its private key, PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  /** As openssl writes it: `/CN=till/O=Corner Bank`. */
  readonly subject: string
  /** As openssl writes it: `DNS:localhost,IP:127.0.0.1`. */
  readonly altNames?: string
  readonly type?: 'rsa' | 'ec'
  /** Who signs. Defaults to itself. */
  readonly issuer?: Certificate
  /** Days from now; negative for one that is over. Defaults to 2. */
  readonly days?: number
  readonly authority?: boolean
}

/** Makes a certificate with openssl. */
export function makeCertificate(options: CertificateOptions): Certificate {
  const { subject, altNames, type = 'ec', issuer, days = 2, authority = false } = options
  const folder = mkdtempSync(join(tmpdir(), 'express-ciba-cert-'))
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    const algorithm =
      type === 'rsa' ? ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] : ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
    openssl('genpkey', '-algorithm', ...algorithm, '-out', file('key'))
    openssl('req', '-new', '-key', file('key'), '-subj', subject, '-out', file('csr'))
    const extensions = [
      `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}`,
      ...(altNames === undefined ? [] : [`subjectAltName=${altNames}`]),
    ]
    writeFileSync(file('ext'), extensions.join('\n'))
    writeFileSync(file('issuer-cert'), issuer?.cert ?? '')
    writeFileSync(file('issuer-key'), issuer?.key ?? '')
    const signer = issuer ? ['-CA', file('issuer-cert'), '-CAkey', file('issuer-key')] : ['-signkey', file('key')]
    const serial = ['-set_serial', String(Date.now() * 1000 + Math.floor(Math.random() * 1000))]
    openssl(
      'x509',
      '-req',
      '-in',
      file('csr'),
      ...signer,
      ...serial,
      '-days',
      String(days),
      '-extfile',
      file('ext'),
      '-out',
      file('cert'),
    )
    return { cert: readFileSync(file('cert'), 'utf8'), key: readFileSync(file('key'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** An authority, and a server certificate of it for loopback. */
export function makeServerCertificate(): { readonly authority: Certificate; readonly server: Certificate } {
  const authority = makeCertificate({ subject: '/CN=Test authority', authority: true, type: 'rsa' })
  const server = makeCertificate({
    subject: '/CN=localhost',
    altNames: 'DNS:localhost,IP:127.0.0.1',
    type: 'rsa',
    issuer: authority,
  })
  return { authority, server }
}
