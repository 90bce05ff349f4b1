import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Jwk } from '../../contracts/clients.ts'
import type { ClientKeys } from '../../core/context.ts'
import { isPublicKey, matchesAlg } from '../../core/crypto/jwk.ts'
import { BackchannelError } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'

/** What the last try at a `jwks_uri` came to. */
interface Source {
  /** The set, of this try or of an earlier one when this one failed; absent when no try has succeeded. */
  readonly keys?: readonly Jwk[]
  /** Epoch milliseconds of the try. */
  readonly at: number
  readonly failure?: unknown
}

/** How long a set is used. */
const freshMs = 300_000
/** How long a set is used that lacks the wanted key, or that could not be fetched again. */
const refetchMs = 60_000
/** How long a `jwks_uri` that never answered is left alone. */
const retryMs = 10_000
const maxKeys = 50
/** Sets remembered at a time; the oldest is forgotten first. */
const maxSets = 1_000

/** @param fetchJson Fetches JSON from a client's `jwks_uri`, never from inner addresses. */
export function createClientKeys(clock: () => number, fetchJson: (url: string) => Promise<unknown>): ClientKeys {
  const imported = new WeakMap<Jwk, KeyObject | undefined>()
  const sources = new Map<string, Source>()
  const fetching = new Map<string, Promise<Source>>()

  const clientKeys: ClientKeys = {
    async verificationKeys(client, { alg, kid }) {
      const fitting = await clientKeys.findKeys(client, (key) => matchesAlg(key, alg, kid))
      return fitting.map(importOnce).filter((key) => key !== undefined)
    },
    async findKeys({ metadata }, wanted) {
      const { jwks, jwks_uri } = metadata
      if (jwks_uri === undefined) return (jwks?.keys ?? []).filter(wanted)
      const found = (await setAt(jwks_uri, freshMs)).filter(wanted)
      return found.length > 0 ? found : (await setAt(jwks_uri, refetchMs)).filter(wanted)
    },
  }
  return clientKeys

  async function setAt(url: string, maxAgeMs: number): Promise<readonly Jwk[]> {
    const known = sources.get(url)
    const isGood = known !== undefined && clock() - known.at < restMs(known, maxAgeMs)
    const { keys, failure } = isGood ? known : await fetchOnce(url)
    if (keys === undefined) throw unavailable(failure)
    return keys
  }

  /** Callers at the same time share one fetch. */
  function fetchOnce(url: string): Promise<Source> {
    const running = fetching.get(url) ?? fetchSet(url).finally(() => fetching.delete(url))
    fetching.set(url, running)
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
    if (sources.size > maxSets && oldest !== undefined) sources.delete(oldest)
    return source
  }

  function importOnce(key: Jwk): KeyObject | undefined {
    if (!imported.has(key)) imported.set(key, importKey(key))
    return imported.get(key)
  }
}

/** A key that cannot be read is no key. */
function importKey(key: Jwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** How long after a try the next one has to wait. */
function restMs({ keys, failure }: Source, maxAgeMs: number): number {
  if (failure === undefined) return maxAgeMs
  return keys === undefined ? retryMs : refetchMs
}

function readSet(body: unknown): readonly Jwk[] {
  if (!isObject(body) || !Array.isArray(body.keys)) throw new TypeError('the answer is not a JWK Set')
  return body.keys.slice(0, maxKeys).filter(isPublicKey)
}

function unavailable(cause: unknown): BackchannelError {
  return new BackchannelError('temporarily_unavailable', 'The keys at jwks_uri could not be fetched', {
    cause,
    headers: { 'Retry-After': String(retryMs / 1000) },
  })
}
