import { type CryptoKey, importJWK, type JWK } from 'jose'
import type { Client, Jwk } from '../contracts.ts'
import { isObject } from '../json.ts'
import type { Jws, VerificationKey } from '../jws.ts'

export interface ClientKeysParts {
  readonly clock: () => number
  /** Fetches JSON from a client's `jwks_uri`, guarded against inner addresses. */
  fetchJson(url: string): Promise<unknown>
}

/** A set fetched from a `jwks_uri`. */
interface Fetched {
  readonly keys: readonly Jwk[]
  readonly at: number
}

/** Fetched sets are used this long, and a set that lacks a key is fetched again once in this time. Milliseconds. */
const freshFor = 300_000
const refetchAfter = 60_000
const mostKeys = 50

const typeOf: Record<string, string> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' }
const curveOf: Record<string, string> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
}

/** The client's own public keys, from `jwks` or `jwks_uri`. Keys, URLs and certificates in a header are never used. */
export function createClientKeys({ clock, fetchJson }: ClientKeysParts) {
  const imported = new WeakMap<Jwk, Map<string, Promise<CryptoKey | Uint8Array>>>()
  const fetched = new Map<string, Fetched>()
  const underWay = new Map<string, Promise<Fetched>>()

  /** The keys that fit a header, imported. */
  async function keysFor(client: Client, { alg, kid }: Pick<Jws, 'alg' | 'kid'>): Promise<readonly VerificationKey[]> {
    const { jwks, jwks_uri } = client.metadata
    let fitting = (jwks?.keys ?? []).filter((key) => fits(key, alg, kid))
    if (jwks_uri !== undefined) {
      fitting = (await setAt(jwks_uri, freshFor)).keys.filter((key) => fits(key, alg, kid))
      if (fitting.length === 0)
        fitting = (await setAt(jwks_uri, refetchAfter)).keys.filter((key) => fits(key, alg, kid))
    }
    return Promise.all(fitting.map((key) => importOnce(key, alg)))
  }

  /** All keys of a client, not imported. */
  async function allKeys({ metadata: { jwks, jwks_uri } }: Client): Promise<readonly Jwk[]> {
    return jwks_uri === undefined ? (jwks?.keys ?? []) : (await setAt(jwks_uri, freshFor)).keys
  }

  /** A set no older than `maxAge`; callers at the same time share one fetch. */
  async function setAt(url: string, maxAge: number): Promise<Fetched> {
    const known = fetched.get(url)
    if (known !== undefined && clock() - known.at < maxAge) return known
    const running = underWay.get(url) ?? fetchSet(url).finally(() => underWay.delete(url))
    underWay.set(url, running)
    try {
      return await running
    } catch (thrown) {
      if (known !== undefined) return known // an outage of the client's server does not take its known keys away
      throw thrown
    }
  }

  async function fetchSet(url: string): Promise<Fetched> {
    const body = await fetchJson(url)
    const keys = isObject(body) && Array.isArray(body.keys) ? body.keys.slice(0, mostKeys) : []
    const set = { keys: keys.filter(isPublicKey), at: clock() }
    fetched.set(url, set)
    return set
  }

  function importOnce(key: Jwk, alg: string): Promise<CryptoKey | Uint8Array> {
    const byAlg = imported.get(key) ?? new Map<string, Promise<CryptoKey | Uint8Array>>()
    imported.set(key, byAlg)
    const known = byAlg.get(alg) ?? importJWK(key as JWK, alg)
    byAlg.set(alg, known)
    return known
  }

  return { keysFor, allKeys }
}

function fits(key: Jwk, alg: string, kid: string | undefined): boolean {
  if (kid !== undefined && key.kid !== kid) return false
  if (key.kty !== typeOf[alg.slice(0, 2)] || (key.use !== undefined && key.use !== 'sig')) return false
  if (key.alg !== undefined && key.alg !== alg && !(isEd(key.alg) && isEd(alg))) return false
  if (key.kty === 'RSA') return Buffer.from(String(key.n ?? ''), 'base64url').length >= 256
  return key.crv === curveOf[alg]
}

function isEd(alg: string): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519'
}

function isPublicKey(key: unknown): key is Jwk {
  return isObject(key) && typeof key.kty === 'string' && key.kty !== 'oct' && !('d' in key || 'k' in key)
}
