import { createPublicKey, hash, type JsonWebKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Request } from 'express'
import type { ClientMetadata, GetCertificate, Jwk } from '../../contracts/clients.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import type { Guard } from '../../core/guards/guard.ts'
import type { Call, ShownCertificate } from '../../core/http/call.ts'
import type { Verdict } from './credentials.ts'
import { canonicalName, canonicalSubject } from './distinguishedName.ts'

/**
 * Makes what reads the client certificate of a request: the host's own function, or else the TLS socket. No header is
 * trusted by itself (RFC 9700 4.13).
 */
export function certificateReader(getCertificate: GetCertificate | undefined, guard: Guard): Context['certificateOf'] {
  if (getCertificate === undefined) return fromSocket
  return (req) => {
    const x509 = guard.sync('clients', 'clientAuth.getCertificate', () => getCertificate({ req })) ?? undefined
    return x509 === undefined ? undefined : { x509, chained: true }
  }
}

function fromSocket({ socket }: Request): ShownCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const x509 = socket.getPeerX509Certificate()
  return x509 === undefined ? undefined : { x509, chained: socket.authorized }
}

/** `x5t#S256`: SHA-256 of the certificate's DER (RFC 8705 3.1). */
export function thumbprintOf(call: Call): string | undefined {
  const certificate = call.certificate()
  return certificate === undefined ? undefined : hash('sha256', certificate.x509.raw, 'base64url')
}

/** Checks `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 2). TLS has proven the private key. */
export async function checkCertificate(ctx: Context, call: Call, client: RegisteredClient): Promise<Verdict> {
  const certificate = call.certificate()
  if (certificate === undefined) return 'no client certificate was shown'
  const { x509, chained } = certificate
  if (!isCurrent(x509, ctx.clock())) return 'the client certificate is over, or not valid yet'
  if (client.authMethod === 'self_signed_tls_client_auth') {
    const [registered] = await ctx.clientKeys.findKeys(client, (key) => isKeyOf(x509, key))
    return registered !== undefined || "the key of the client certificate is not among the client's keys"
  }
  if (!chained) return 'the client certificate does not chain to a trusted authority'
  return hasSubject(x509, client.metadata) || 'the client certificate has another subject than the registered one'
}

function isCurrent(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo)
}

/** A renewed certificate with the registered key is the client's too. */
function isKeyOf(certificate: X509Certificate, key: Jwk): boolean {
  const [first] = Array.isArray(key.x5c) ? key.x5c : []
  try {
    const registered =
      typeof first === 'string'
        ? new X509Certificate(Buffer.from(first, 'base64')).publicKey
        : createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    return registered.equals(certificate.publicKey)
  } catch {
    return false // a key that cannot be read is not the one that was shown
  }
}

function hasSubject(certificate: X509Certificate, client: ClientMetadata): boolean {
  if (client.tls_client_auth_subject_dn !== undefined) {
    // Node has none for a certificate that has alternative names only, whatever its types say
    const subject = canonicalSubject((certificate.subject as string | undefined) ?? '')
    return subject !== undefined && subject === canonicalName(client.tls_client_auth_subject_dn)
  }
  const names = alternativeNames(certificate.subjectAltName ?? '')
  const registered: readonly (readonly [string, string | undefined])[] = [
    ['DNS', client.tls_client_auth_san_dns?.toLowerCase()],
    ['URI', client.tls_client_auth_san_uri],
    ['IP Address', canonicalIp(client.tls_client_auth_san_ip)],
    ['email', client.tls_client_auth_san_email],
  ]
  return registered.some(
    ([kind, value]) => value !== undefined && names.some((name) => name[0] === kind && name[1] === value),
  )
}

/** Node puts a name into quotes, and escapes the commas in it, where it could be taken for several. */
function alternativeNames(text: string): readonly (readonly [string, string])[] {
  return text.split(', ').map((entry) => {
    const colon = entry.indexOf(':')
    const kind = entry.slice(0, colon)
    const printed = entry.slice(colon + 1)
    const value: string = printed.startsWith('"') ? JSON.parse(printed) : printed
    if (kind === 'DNS') return [kind, value.toLowerCase()]
    return [kind, kind === 'IP Address' ? (canonicalIp(value) ?? value) : value]
  })
}

function canonicalIp(address: string | undefined): string | undefined {
  if (address === undefined || isIP(address) !== 6) return address
  return new URL(`http://[${address}]`).hostname
}
