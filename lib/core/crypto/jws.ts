import type { KeyObject } from 'node:crypto'
import { isObject } from '../json.ts'
import { isSignatureOf } from './signature.ts'

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
  /** In lower case and without `application/` (RFC 7515 4.1.9). */
  readonly typ: string | undefined
  /** The `jwk` header. For DPoP proofs alone: nowhere else does a header bring the key it is verified with. */
  readonly jwk: unknown
  readonly claims: Readonly<Record<string, unknown>>
}

// Three parts of base64url and nothing else: no JSON serialization, no encryption (RFC 8725 3.14)
const compact = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Reads a compact JWS; `undefined` when the text is none. `crit` and unencoded payloads are not supported. */
export function readJws(text: string): Jws | undefined {
  if (!compact.test(text)) return undefined
  const [first = '', second = ''] = text.split('.', 2)
  const header = objectIn(first)
  const claims = objectIn(second)
  if (header === undefined || claims === undefined || 'crit' in header || 'b64' in header) return undefined
  const { alg, kid, typ, jwk } = header
  if (typeof alg !== 'string' || !isOptionalText(kid) || !isOptionalText(typ)) return undefined
  return { text, alg, kid, typ: typ?.toLowerCase().replace(/^application\//, ''), jwk, claims }
}

/**
 * Does any of the keys verify the signature with the algorithm of the header? Callers have allowed that algorithm.
 * A key of another type, or one that cannot be used, verifies nothing.
 */
export async function isSignedBy({ text, alg }: Jws, keys: readonly KeyObject[]): Promise<boolean> {
  const dot = text.lastIndexOf('.')
  const input = text.slice(0, dot)
  const signature = Buffer.from(text.slice(dot + 1), 'base64url')
  for (const key of keys) {
    // a key that OpenSSL refuses comes from a client, and verifies nothing
    if (isStrong(key) && (await isSignatureOf(input, signature, key, alg).catch(() => false))) return true
  }
  return false
}

/** RSA keys have at least 2048 bits (RFC 7518 3.3). */
function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
}

function objectIn(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}
