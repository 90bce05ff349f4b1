import { createPrivateKey, randomUUID } from 'node:crypto'
import { type Certificate, makeCertificate, makeServerCertificate } from '../helpers/certificates.ts'
import type { SigningKey } from './jws.ts'

/** Keys and certificates of one run. */
export interface Material {
  readonly authority: Certificate
  readonly server: Certificate
  /** The first client's certificate is signed by the authority, the second one's by itself. */
  readonly clients: readonly [Credentials, Credentials]
  /** Self-signed ones, for clients that register themselves. */
  readonly dynamic: readonly [Credentials, Credentials]
  /** The keys of the server. */
  readonly serverKeys: { readonly keys: readonly SigningKey[] }
}

/** A client's key for signatures, and a certificate of the same key. */
export interface Credentials {
  readonly key: SigningKey
  readonly certificate: Certificate
}

export function makeMaterial(): Material {
  const { authority, server } = makeServerCertificate()
  const second = makeCredentials('client-2')
  return {
    authority,
    server,
    clients: [makeCredentials('client-1', authority), second],
    dynamic: [makeCredentials('client-3'), second],
    serverKeys: { keys: [makeCredentials('server').key] },
  }
}

/** An RSA key, used with PS256, and its certificate: self-signed, unless there is an authority. */
export function makeCredentials(name: string, issuer?: Certificate): Credentials {
  const certificate = makeCertificate({
    subject: `/CN=${name}`,
    type: 'rsa',
    ...(issuer === undefined ? {} : { issuer }),
  })
  const jwk = createPrivateKey(certificate.key).export({ format: 'jwk' }) as { kty: string }
  return { key: { ...jwk, kid: randomUUID(), alg: 'PS256', use: 'sig' }, certificate }
}

/** The public half, with the certificate as `x5c`. */
export function publicKeys({ key, certificate }: Credentials) {
  const { kty, n, e, kid, alg, use } = key
  const x5c = [certificate.cert.replace(/-----[^-]+-----|\s/g, '')]
  return { keys: [{ kty, n, e, kid, alg, use, x5c }] }
}
