import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type JsonWebKeyInput,
  type KeyObject,
} from 'node:crypto'
import type { Jwk, JwkSet } from '../contracts.ts'
import { fitsAlg } from '../signature.ts'

/** A private key of ours, and the one algorithm it signs with. */
export interface SigningKey {
  readonly alg: string
  readonly kid: string
  readonly key: KeyObject
}

/** Our keys: the private ones sign, all of them are published. */
export interface Keys {
  /** Algorithms we can sign with, the preferred key of each first. */
  readonly algs: readonly string[]
  /** The key for an algorithm; without one, for `RS256` when we have it, else for our first. */
  forAlg(alg: string | undefined): SigningKey | undefined
  /** Keys that may have signed a JWT of ours, retired ones included, imported for verification. */
  verifiers(alg: string, kid: string | undefined): readonly KeyObject[]
  /** The public set, for `GET /oidc/jwks`. */
  readonly publicSet: JwkSet
}

const publicMembers: Record<string, readonly string[]> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
}

const curveAlgs: Record<string, string> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512', Ed25519: 'Ed25519' }

/**
 * Reads the server's JWK Set.
 * @param algs The algorithms to sign with, where a profile names them. A private RSA key takes the first that fits.
 * @throws TypeError for symmetric, weak or unreadable keys, for two keys with one `kid`, or when none is private.
 */
export function createKeys(set: JwkSet, algs?: readonly string[]): Keys {
  const keys = set.keys.map(withDefaults)
  if (new Set(keys.map((key) => key.kid)).size !== keys.length) throw wrong('has two keys with the same kid')
  const signing = keys
    .filter((key) => key.d !== undefined && key.use !== 'enc' && (algs === undefined || algs.includes(key.alg)))
    .map(signingKey)
  if (signing.length === 0) {
    throw wrong(algs === undefined ? 'has no private key to sign with' : `has no private key for ${algs.join(', ')}`)
  }
  const publics = keys.map((jwk) => ({ ...jwk, key: imported(jwk, createPublicKey) }))
  const first = new Map<string, SigningKey>()
  for (const key of signing) if (!first.has(key.alg)) first.set(key.alg, key)
  const usual = first.get('RS256') ?? signing[0]
  return {
    algs: [...first.keys()],
    forAlg: (alg) => (alg === undefined ? usual : first.get(alg)),
    verifiers: (alg, kid) =>
      publics.filter((each) => each.alg === alg && (kid === undefined || each.kid === kid)).map(({ key }) => key),
    publicSet: { keys: keys.map(publicPart) },
  }
}

/** An ES256 key for the first run. */
export function makeKeys(): JwkSet {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { keys: [{ ...(privateKey.export({ format: 'jwk' }) as Jwk), alg: 'ES256', use: 'sig' }] }
}

function withDefaults(key: Jwk): Jwk & { kid: string; alg: string } {
  if (publicMembers[key.kty] === undefined) throw wrong(`has a key of type "${key.kty}"; use RSA, EC or OKP keys`)
  if (key.kty === 'RSA' && Buffer.from(String(key.n ?? ''), 'base64url').length < 256) {
    throw wrong('has an RSA key of less than 2048 bits')
  }
  const alg = key.alg ?? (key.kty === 'RSA' ? 'RS256' : curveAlgs[String(key.crv)])
  if (alg === undefined) throw wrong(`has a key on the curve "${String(key.crv)}", which cannot sign`)
  return { ...key, alg, kid: key.kid ?? thumbprint(key) }
}

/** RFC 7638, with the members in the order it demands. */
function thumbprint(key: Jwk): string {
  const members = [...(publicMembers[key.kty] ?? [])].sort().map((name) => [name, key[name]])
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url')
}

function signingKey(jwk: Jwk & { kid: string; alg: string }): SigningKey {
  const key = imported(jwk, createPrivateKey)
  if (!fitsAlg(key, jwk.alg)) throw wrong(`has a key that cannot sign with its alg, "${jwk.alg}"`)
  return { alg: jwk.alg, kid: jwk.kid, key }
}

function imported(jwk: Jwk, read: (input: JsonWebKeyInput) => KeyObject): KeyObject {
  try {
    return read({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    throw wrong('has a key that cannot be read') // the reason may quote the key
  }
}

function publicPart(key: Jwk & { kid: string; alg: string }): Jwk {
  const { kid, alg, use = 'sig' } = key
  const members = (publicMembers[key.kty] ?? []).map((name) => [name, key[name]])
  return { ...(Object.fromEntries(members) as { kty: string }), kid, alg, use }
}

function wrong(what: string): TypeError {
  return new TypeError(`express-ciba: option "keys" ${what}`)
}
