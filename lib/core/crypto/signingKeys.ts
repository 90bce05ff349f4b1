import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type JsonWebKeyInput,
  type KeyObject,
} from 'node:crypto'
import type { Jwk, JwkSet } from '../../contracts/clients.ts'
import { omitUndefined } from '../json.ts'
import { fitsAlg, isLongEnough, publicPartOf, thumbprintOf } from './jwk.ts'

/** A private key of ours, and the one algorithm it signs with. */
export interface SigningKey {
  readonly alg: string
  readonly kid: string
  readonly key: KeyObject
}

/** Our keys: the private ones sign, all of them are published. */
export interface SigningKeys {
  /** Algorithms we can sign with, the preferred key of each first. */
  readonly algs: readonly string[]
  /** The key for an algorithm; without one, for `RS256` when we have it, else for our first. */
  forAlg(alg: string | undefined): SigningKey | undefined
  /** Keys that may have signed a JWT of ours, retired ones included, imported for verification. */
  verifiers(alg: string, kid: string | undefined): readonly KeyObject[]
  /** The public set, for `GET /oidc/jwks`. */
  readonly publicSet: JwkSet
}

/** Algorithms of a key that names none, by type or curve. `EdDSA` is an older name of `Ed25519`. */
const defaultAlgs: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['RS256', 'PS256']],
  ['P-256', ['ES256']],
  ['P-384', ['ES384']],
  ['P-521', ['ES512']],
  ['Ed25519', ['Ed25519', 'EdDSA']],
])

/** A key of ours, and the algorithms it serves: one, or two names of one. */
type OwnJwk = Jwk & { readonly kid: string; readonly algs: readonly string[] }

/**
 * Reads the server's JWK Set.
 * @param allowed The algorithms to sign with, where a profile names them. An RSA key without `alg` takes the first.
 * @throws TypeError for symmetric, weak or unreadable keys, for two keys with one `kid`, or when none is private.
 */
export function createSigningKeys(set: JwkSet, allowed?: readonly string[]): SigningKeys {
  const keys = set.keys.map((key) => withDefaults(key, allowed))
  if (new Set(keys.map((key) => key.kid)).size !== keys.length) throw wrong('has two keys with the same kid')
  const preferred = preferredKeys(keys, allowed)
  const usual = preferred.get('RS256') ?? [...preferred.values()][0]
  const verifiers = keys.map((jwk) => ({ ...jwk, key: imported(jwk, createPublicKey) }))
  return {
    algs: [...preferred.keys()],
    forAlg: (alg) => (alg === undefined ? usual : preferred.get(alg)),
    verifiers: (alg, kid) =>
      verifiers
        .filter((each) => each.algs.includes(alg) && (kid === undefined || each.kid === kid))
        .map(({ key }) => key),
    publicSet: { keys: keys.map(published) },
  }
}

/**
 * An ES256 key for the first run. By way of DER: Node 20 locks up when it collects what made a key while that same key
 * is being exported.
 */
export function makeKeys(): JwkSet {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    publicKeyEncoding: { format: 'der', type: 'spki' },
  })
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  return { keys: [{ ...(key.export({ format: 'jwk' }) as Jwk), alg: 'ES256', use: 'sig' }] }
}

function withDefaults(key: Jwk, allowed: readonly string[] | undefined): OwnJwk {
  if (publicPartOf(key) === undefined) throw wrong(`has a key of type "${key.kty}"; use RSA, EC or OKP keys`)
  if (key.kty === 'RSA' && !isLongEnough(key)) throw wrong('has an RSA key of less than 2048 bits')
  const possible = key.alg === undefined ? defaultAlgs.get(key.kty === 'RSA' ? 'RSA' : String(key.crv)) : [key.alg]
  if (possible === undefined) throw wrong(`has a key on the curve "${String(key.crv)}", which cannot sign`)
  // one key, one algorithm (RFC 8725 3.1)
  const one = possible.find((alg) => allowed?.includes(alg)) ?? possible[0]
  const algs = key.kty === 'RSA' && one !== undefined ? [one] : possible
  return { ...key, algs, kid: key.kid ?? thumbprintOf(key) }
}

/** The first private key of each algorithm. */
function preferredKeys(keys: readonly OwnJwk[], allowed: readonly string[] | undefined): Map<string, SigningKey> {
  const signing = keys
    .filter((key) => key.d !== undefined && key.use !== 'enc')
    .flatMap(toSigningKeys)
    .filter(({ alg }) => allowed === undefined || allowed.includes(alg))
  if (signing.length === 0) {
    throw wrong(
      allowed === undefined ? 'has no private key to sign with' : `has no private key for ${allowed.join(', ')}`,
    )
  }
  const first = new Map<string, SigningKey>()
  for (const key of signing) if (!first.has(key.alg)) first.set(key.alg, key)
  return first
}

function toSigningKeys({ algs, kid, ...jwk }: OwnJwk): SigningKey[] {
  const key = imported(jwk, createPrivateKey)
  return algs.map((alg) => {
    if (!fitsAlg(key, alg)) throw wrong(`has a key that cannot sign with its alg, "${alg}"`)
    return { alg, kid, key }
  })
}

function imported(jwk: Jwk, read: (input: JsonWebKeyInput) => KeyObject): KeyObject {
  try {
    return read({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    throw wrong('has a key that cannot be read') // the reason may quote the key
  }
}

function published(key: OwnJwk): Jwk {
  const { kty, kid, algs, use = 'sig' } = key
  // strict clients take a key for its `alg` alone, and one that serves two names has to do for both
  const alg = algs.length === 1 ? algs[0] : undefined
  return omitUndefined({ kty, ...publicPartOf(key), kid, alg, use }) as Jwk
}

function wrong(what: string): TypeError {
  return new TypeError(`express-ciba: option "keys" ${what}`)
}
