import { randomBytes } from 'node:crypto'
import { CompactSign, importJWK, type JWK } from 'jose'

/** A client's private signing key, with `kid` and `alg`. */
export type SigningKey = JWK & { readonly kty: string; readonly kid: string; readonly alg: string }

export type Claims = Readonly<Record<string, unknown>>

export interface Signing {
  readonly key: SigningKey
  /** Another algorithm than the key's own. */
  readonly alg?: string | undefined
  readonly typ?: string | undefined
}

/** A compact JWS with `alg` and `kid`, and no `typ` unless one is asked for. */
export async function sign(claims: Claims, { key, alg = key.alg, typ }: Signing): Promise<string> {
  const privateKey = await importJWK({ ...key, alg }, alg)
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg, kid: key.kid, ...(typ === undefined ? {} : { typ }) })
    .sign(privateKey)
}

export function unsecured(claims: Claims): string {
  return `${encode({ alg: 'none' })}.${encode(claims)}.`
}

/** The same JWS with every byte of its signature changed. */
export function withBadSignature(jws: string): string {
  const [head, payload, signature = ''] = jws.split('.')
  const bytes = Buffer.from(signature, 'base64url').map((byte) => byte ^ 0x5a)
  return [head, payload, Buffer.from(bytes).toString('base64url')].join('.')
}

/** Letters and digits by chance. */
export function alphanumerics(length: number): string {
  return characters('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', length)
}

/** A notification token from the whole alphabet that RFC 6750 allows, with the `=` at its end. */
export function notificationToken(length = 28): string {
  const all = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/'
  return `${characters(all, length - 1)}=`
}

export const epochSeconds = () => Math.floor(Date.now() / 1000)

function characters(all: string, length: number): string {
  return [...randomBytes(length)].map((byte) => all[byte % all.length]).join('')
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
