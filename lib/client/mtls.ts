import { createPublicKey, hash, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Request } from 'express'
import type { Call, Client, ClientMetadata, Jwk, ShownCertificate } from '../contracts.ts'

export interface CertificateParts {
  readonly clock: () => number
  /** All registered keys of a client. */
  allKeys(client: Client): Promise<readonly Jwk[]>
}

/** Reads the client certificate from the TLS connection. No header is trusted by itself (RFC 9700 4.13). */
export function certificateFrom({ socket }: Request): ShownCertificate | undefined {
  const x509 = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return x509 === undefined ? undefined : { x509, chained: (socket as TLSSocket).authorized }
}

/** `x5t#S256`: SHA-256 of the certificate's DER (RFC 8705 3.1). */
export function thumbprintOf(call: Call): string | undefined {
  const certificate = call.certificate()
  return certificate === undefined ? undefined : hash('sha256', certificate.x509.raw, 'base64url')
}

/** Checks `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 2). The TLS layer has proven the private key. */
export function createCheckCertificate({ clock, allKeys }: CertificateParts) {
  return async (call: Call, client: Client): Promise<boolean> => {
    const certificate = call.certificate()
    if (certificate === undefined || !isCurrent(certificate.x509, clock())) return false
    return client.authMethod === 'tls_client_auth'
      ? certificate.chained && hasSubject(certificate.x509, client.metadata)
      : isRegistered(certificate.x509, await allKeys(client))
  }
}

function isCurrent(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo)
}

function hasSubject(certificate: X509Certificate, client: ClientMetadata): boolean {
  if (client.tls_client_auth_subject_dn !== undefined) {
    return sameName(distinguishedName(certificate.subject), client.tls_client_auth_subject_dn)
  }
  const names = alternativeNames(certificate.subjectAltName ?? '')
  const wanted: [string, string | undefined][] = [
    ['DNS', client.tls_client_auth_san_dns?.toLowerCase()],
    ['URI', client.tls_client_auth_san_uri],
    ['IP Address', canonicalIp(client.tls_client_auth_san_ip)],
    ['email', client.tls_client_auth_san_email],
  ]
  return wanted.some(
    ([kind, value]) => value !== undefined && names.some((name) => name[0] === kind && name[1] === value),
  )
}

/** Node prints one attribute a line, the least significant last; RFC 4514 writes the last first. */
function distinguishedName(subject: string): string {
  return subject.split('\n').reverse().join(',')
}

function sameName(a: string, b: string): boolean {
  const normal = (name: string) =>
    name
      .split(/(?<!\\),/)
      .map((part) => part.trim().replace(/^([\w.]+)\s*=\s*/, (_, type: string) => `${type.toUpperCase()}=`))
      .join(',')
  return normal(a) === normal(b)
}

function alternativeNames(text: string): [string, string][] {
  return text.split(', ').map((entry) => {
    const colon = entry.indexOf(':')
    const kind = entry.slice(0, colon)
    const value = entry.slice(colon + 1)
    if (kind === 'DNS') return [kind, value.toLowerCase()]
    return [kind, kind === 'IP Address' ? (canonicalIp(value) ?? value) : value]
  })
}

function canonicalIp(address: string | undefined): string | undefined {
  if (address === undefined || isIP(address) !== 6) return address
  return new URL(`http://[${address}]`).hostname
}

function isRegistered(certificate: X509Certificate, keys: readonly Jwk[]): boolean {
  const shown = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return keys.some((key) => {
    try {
      const [first] = Array.isArray(key.x5c) ? key.x5c : []
      if (typeof first === 'string')
        return new X509Certificate(Buffer.from(first, 'base64')).raw.equals(certificate.raw)
      return createPublicKey({ key: key as never, format: 'jwk' })
        .export({ type: 'spki', format: 'der' })
        .equals(shown)
    } catch {
      return false // a key we cannot read is not the one that was shown
    }
  })
}
