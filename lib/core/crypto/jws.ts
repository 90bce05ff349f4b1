import type { KeyObject } from 'node:crypto'
import { isSignatureOf, isSignatureOfNow } from './signature.ts'

/** Asymmetric algorithms we verify and sign with. */
export const asymmetricAlgs = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

/** HMAC algorithms, for `client_secret_jwt` alone. */
export const hmacAlgs = ['HS256', 'HS384', 'HS512'] as const

/** A compact JWS with JSON claims, read but not yet verified. Nothing in it may be trusted. */
export interface Jws {
  readonly text: string
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
  /** The `jwk` header. For DPoP proofs alone: nowhere else does a header bring the key it is verified with. */
  readonly jwk: unknown
  readonly claims: Readonly<Record<string, unknown>>
}

// Three parts of base64url and nothing else: no JSON serialization, no encryption (RFC 8725 3.14)
const compact = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Reads a compact JWS; `undefined` when the text is none. `crit` and unencoded payloads are not for us. */
export function readJws(text: string): Jws | undefined {
  if (!compact.test(text)) return undefined
  const [first = '', second = ''] = text.split('.', 2)
  const header = objectIn(first)
  const claims = objectIn(second)
  if (header === undefined || claims === undefined || 'crit' in header || 'b64' in header) return undefined
  const { alg, kid, typ, jwk } = header
  if (typeof alg !== 'string' || !optionalText(kid) || !optionalText(typ)) return undefined
  return { text, alg, kid, typ: normalTyp(typ), jwk, claims }
}

/** Does any of the keys verify the signature with the algorithm of the header? Callers have allowed that algorithm. */
export async function isSignedBy(jws: Jws, keys: readonly KeyObject[]): Promise<boolean> {
  const { input, signature } = partsOf(jws)
  for (const key of keys) if (await isSignatureOf(input, signature, key, jws.alg)) return true
  return false
}

/** As `isSignedBy`, for where nobody can wait. */
export function isSignedByNow(jws: Jws, keys: readonly KeyObject[]): boolean {
  const { input, signature } = partsOf(jws)
  return keys.some((key) => isSignatureOfNow(input, signature, key, jws.alg))
}

function partsOf({ text }: Jws) {
  const dot = text.lastIndexOf('.')
  return { input: text.slice(0, dot), signature: Buffer.from(text.slice(dot + 1), 'base64url') }
}

function objectIn(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function optionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

/** `typ` is compared without case and without its optional prefix (RFC 7515 4.1.9). */
function normalTyp(typ: string | undefined): string | undefined {
  return typ?.toLowerCase().replace(/^application\//, '')
}
