import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Client, Jwk } from '../../contracts/contracts.ts'
import type { Jws } from '../../core/crypto/jws.ts'
import { BackchannelError } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'

export interface ClientKeysParts {
  readonly clock: () => number
  /** Fetches JSON from a client's `jwks_uri`, guarded against inner addresses. */
  fetchJson(url: string): Promise<unknown>
}

/** What the last try at a `jwks_uri` came to. */
interface Source {
  /** The set, of this try or of an earlier one when this one failed; absent when no try has succeeded. */
  readonly keys?: readonly Jwk[]
  /** Epoch milliseconds of the try. */
  readonly at: number
  readonly failure?: unknown
}

/** Milliseconds a set is used, a set without the wanted key is used, and a source that never answered is left alone. */
const freshFor = 300_000
const refetchAfter = 60_000
const retryAfter = 10_000
const mostKeys = 50
/** Sets remembered at a time; the oldest gives way. */
const mostSets = 1_000

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
  const imported = new WeakMap<Jwk, KeyObject | undefined>()
  const sources = new Map<string, Source>()
  const underWay = new Map<string, Promise<Source>>()

  /** The keys that fit a header, imported. A key that cannot be imported is no key. */
  async function keysFor(client: Client, { alg, kid }: Pick<Jws, 'alg' | 'kid'>): Promise<readonly KeyObject[]> {
    const fitting = await keysThat(client, (key) => fits(key, alg, kid))
    return fitting.map(importOnce).filter((key) => key !== undefined)
  }

  /**
   * The keys with a property, not imported. When none has it, the client's `jwks_uri` may hold newer ones.
   * @throws BackchannelError `temporarily_unavailable` when the `jwks_uri` has never answered.
   */
  async function keysThat({ metadata }: Client, wanted: (key: Jwk) => boolean): Promise<readonly Jwk[]> {
    const { jwks, jwks_uri } = metadata
    if (jwks_uri === undefined) return (jwks?.keys ?? []).filter(wanted)
    const found = (await setAt(jwks_uri, freshFor)).filter(wanted)
    return found.length > 0 ? found : (await setAt(jwks_uri, refetchAfter)).filter(wanted)
  }

  async function setAt(url: string, maxAge: number): Promise<readonly Jwk[]> {
    const known = sources.get(url)
    const { keys, failure } = known !== undefined && clock() - known.at < restOf(known, maxAge) ? known : await ask(url)
    if (keys === undefined) throw unavailable(failure)
    return keys
  }

  /** Callers at the same time share one fetch. */
  function ask(url: string): Promise<Source> {
    const running = underWay.get(url) ?? fetchSet(url).finally(() => underWay.delete(url))
    underWay.set(url, running)
    return running
  }

  async function fetchSet(url: string): Promise<Source> {
    const source = await fetchJson(url)
      .then(readSet)
      .then(
        (keys): Source => ({ keys, at: clock() }),
        // an outage of the client's server does not take its known keys away
        (failure): Source => ({ ...sources.get(url), at: clock(), failure }),
      )
    sources.delete(url)
    sources.set(url, source)
    const [oldest] = sources.keys()
    if (sources.size > mostSets && oldest !== undefined) sources.delete(oldest)
    return source
  }

  /** A key that cannot be read is none. */
  function importOnce(key: Jwk): KeyObject | undefined {
    if (imported.has(key)) return imported.get(key)
    let known: KeyObject | undefined
    try {
      known = createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    } catch {
      known = undefined
    }
    imported.set(key, known)
    return known
  }

  return { keysFor, keysThat }
}

/** How long after a try the next one has to wait. */
function restOf({ keys, failure }: Source, maxAge: number): number {
  if (failure === undefined) return maxAge
  return keys === undefined ? retryAfter : refetchAfter
}

function readSet(body: unknown): readonly Jwk[] {
  if (!isObject(body) || !Array.isArray(body.keys)) throw new TypeError('the answer is not a JWK Set')
  return body.keys.slice(0, mostKeys).filter(isPublicKey)
}

function unavailable(cause: unknown): BackchannelError {
  return new BackchannelError('temporarily_unavailable', 'The keys at jwks_uri could not be fetched', {
    cause,
    headers: { 'Retry-After': String(retryAfter / 1000) },
  })
}

function fits(key: Jwk, alg: string, kid: string | undefined): boolean {
  if (kid !== undefined && key.kid !== kid) return false
  if (key.kty !== typeOf[alg.slice(0, 2)] || (key.use !== undefined && key.use !== 'sig')) return false
  if (key.alg !== undefined && key.alg !== alg && !(isEd(key.alg) && isEd(alg))) return false
  return key.kty === 'RSA' ? isLongEnough(key) : key.crv === curveOf[alg]
}

function isEd(alg: string): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519'
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

/** A public key and nothing more: not symmetric, and no private part in it. Types we do not know may be. */
export function isPublicKey(key: unknown): key is Jwk {
  return (
    isObject(key) &&
    typeof key.kty === 'string' &&
    key.kty !== 'oct' &&
    !privateMembers.some((name) => Object.hasOwn(key, name))
  )
}
