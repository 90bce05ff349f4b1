import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Certificate } from './http.ts'
import type { SigningKey } from './jws.ts'

/** A client's key for signatures, and a certificate of the same key. */
export interface Credentials {
  readonly key: SigningKey
  readonly certificate: Certificate
}

/** An RSA key, used with PS256, and its self-signed certificate. */
export function makeCredentials(name: string, authority?: Certificate): Credentials {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const certificate = certify(privateKey, `/CN=${name}`, authority)
  const jwk = privateKey.export({ format: 'jwk' }) as { kty: string }
  return { key: { ...jwk, kid: randomUUID(), alg: 'PS256', use: 'sig' }, certificate }
}

/** The public half, with the certificate as `x5c`. */
export function publicKeys({ key, certificate }: Credentials) {
  const { kty, n, e, kid, alg, use } = key
  const x5c = [certificate.cert.replace(/-----[^-]+-----|\s/g, '')]
  return { keys: [{ kty, n, e, kid, alg, use, x5c }] }
}

/** A certificate of an RSA key for a server on loopback. */
export function makeServerCertificate(): Certificate {
  return certify(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, '/CN=localhost')
}

/** Signs client certificates for `tls_client_auth`. */
export function makeAuthority(name: string): Certificate {
  return certify(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, `/CN=${name}`)
}

function certify(privateKey: KeyObject, subject: string, authority?: Certificate): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'express-ciba-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  try {
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    const args = ['req', '-x509', '-new', '-sha256', '-days', '2', '-subj', subject, '-key', file('key.pem', key)]
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const signer =
      authority === undefined
        ? []
        : ['-CA', file('ca.pem', authority.cert), '-CAkey', file('ca-key.pem', authority.key)]
    execFileSync('openssl', [...args, ...names, ...signer, '-out', join(folder, 'cert.pem')], { stdio: 'pipe' })
    return { cert: readFileSync(join(folder, 'cert.pem'), 'utf8'), key, ca: authority?.cert }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
