import type { KeyObject } from 'node:crypto'
import type { Jwk } from '../../contracts/clients.ts'
import { isObject } from '../json.ts'
import { hashOf } from './handles.ts'

/** The key that an algorithm takes: its type and curve in a JWK, and the same in Node's words. */
interface KeyKind {
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'oct'
  readonly crv?: string
  readonly node: 'rsa' | 'ec' | 'ed25519' | 'secret'
  readonly nodeCurve?: string
}

const rsa: KeyKind = { kty: 'RSA', node: 'rsa' }
const ed25519: KeyKind = { kty: 'OKP', crv: 'Ed25519', node: 'ed25519' }
const secret: KeyKind = { kty: 'oct', node: 'secret' }

/** RFC 7518 3.1, RFC 8037 3.1, RFC 9864. `EdDSA` is an older name of `Ed25519`. */
const kinds: ReadonlyMap<string, KeyKind> = new Map<string, KeyKind>([
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', { kty: 'EC', crv: 'P-256', node: 'ec', nodeCurve: 'prime256v1' }],
  ['ES384', { kty: 'EC', crv: 'P-384', node: 'ec', nodeCurve: 'secp384r1' }],
  ['ES512', { kty: 'EC', crv: 'P-521', node: 'ec', nodeCurve: 'secp521r1' }],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
  ['HS256', secret],
  ['HS384', secret],
  ['HS512', secret],
])

/** Is the key of the type that the algorithm takes? The key fixes the algorithm, never the header (RFC 8725 3.1). */
export function fitsAlg(key: KeyObject, alg: string): boolean {
  const kind = kinds.get(alg)
  if (kind === undefined) return false
  if (kind.node === 'secret') return key.type === 'secret'
  const curve = key.asymmetricKeyDetails?.namedCurve
  return key.asymmetricKeyType === kind.node && (kind.nodeCurve === undefined || curve === kind.nodeCurve)
}

/** May a public key verify a JWS with this header: by its `kid`, `kty`, `crv`, `use`, `alg` and length? */
export function matchesAlg(key: Jwk, alg: string, kid: string | undefined): boolean {
  const kind = kinds.get(alg)
  if (kind === undefined || key.kty !== kind.kty || kind.kty === 'oct') return false
  if (kid !== undefined && key.kid !== kid) return false
  if (key.use !== undefined && key.use !== 'sig') return false
  if (key.alg !== undefined && key.alg !== alg && !(isEdwards(key.alg) && isEdwards(alg))) return false
  return key.kty === 'RSA' ? isLongEnough(key) : key.crv === kind.crv
}

/** RSA keys have at least 2048 bits (RFC 7518 3.3). */
export function isLongEnough(key: Jwk): boolean {
  return Buffer.from(String(key.n ?? ''), 'base64url').length >= 256
}

/** Bytes a MAC key has at least: as many as the hash (OpenID Connect Core 16.19). */
export function macBytes(alg: string): number {
  return Number(alg.slice(2)) / 8
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** Is this a public key and nothing more: not symmetric, and without a private part? Its type may be unknown. */
export function isPublicKey(key: unknown): key is Jwk {
  return (
    isObject(key) &&
    typeof key.kty === 'string' &&
    key.kty !== 'oct' &&
    !privateMembers.some((name) => Object.hasOwn(key, name))
  )
}

/** The members of a public key that define it (RFC 7638 3.2). */
const publicMembers: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['e', 'kty', 'n']],
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
])

/** The public part of a key, its members in the order of RFC 7638 3.2; `undefined` for other types of key. */
export function publicPartOf(key: Jwk): Jwk | undefined {
  const names = publicMembers.get(key.kty)
  return names && (Object.fromEntries(names.map((name) => [name, key[name]])) as { kty: string })
}

/** RFC 7638, SHA-256 in base64url. */
export function thumbprintOf(key: Jwk): string {
  return hashOf(JSON.stringify(publicPartOf(key)))
}

function isEdwards(alg: string): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519'
}
