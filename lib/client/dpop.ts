import { calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import type { BackchannelStore, Call } from '../contracts.ts'
import { BackchannelError } from '../errors.ts'
import type { Emit } from '../events.ts'
import { isObject } from '../json.ts'
import { asymmetricAlgs, isSignedBy, type Jws, readJws } from '../jws.ts'
import { equalSecrets, hashOf, type Vault } from '../secrets.ts'

export interface DpopParts {
  readonly store: Pick<BackchannelStore, 'firstSeen'>
  readonly clock: () => number
  readonly vault: Pick<Vault, 'sign'>
  readonly emit: Emit
  /** Demand a nonce of ours in every proof (RFC 9449 8). */
  readonly nonceRequired: boolean
  /** Seconds a proof is good for after its `iat`. */
  readonly maxAgeSeconds: number
  /** Algorithms on offer. Defaults to every asymmetric one. */
  readonly algs?: readonly string[]
}

/** Seconds a client's clock may be ahead of ours. */
const skewSeconds = 10
/** Seconds a nonce is handed out; it is good for as long again. */
const nonceSeconds = 60
const longestProof = 8_192

/**
 * Checks the DPoP proof of a call (RFC 9449 4.3).
 * @returns the thumbprint of the proven key; `undefined` when no proof was sent.
 * @throws BackchannelError `invalid_dpop_proof`, or `use_dpop_nonce` with a fresh `DPoP-Nonce`.
 */
export function createCheckDpop(parts: DpopParts) {
  const { store, clock, vault, emit } = parts
  const algs: readonly string[] = parts.algs ?? asymmetricAlgs

  async function check(call: Call): Promise<string | undefined> {
    const [proof, second] = call.dpop
    if (proof === undefined) return undefined
    if (second !== undefined || proof.length > longestProof) throw invalid('Send exactly one DPoP header')
    const jws = readJws(proof)
    if (jws === undefined || jws.typ !== 'dpop+jwt') throw invalid('The proof is not a JWT of type dpop+jwt')
    if (!algs.includes(jws.alg)) throw invalid('The algorithm of the proof is not supported')
    const jwk = publicKeyIn(jws)
    if (!(await isSignedBy(jws, [await importKey(jwk, jws.alg)])))
      throw invalid('The signature of the proof is not valid')
    checkClaims(jws.claims, call)
    await checkFirst(String(jws.claims.jti), call)
    return calculateJwkThumbprint(jwk, 'sha256')
  }

  function checkClaims({ htm, htu, iat, jti, nonce }: Jws['claims'], call: Call): void {
    const now = clock() / 1000
    if (htm !== 'POST') throw invalid('htm is not POST')
    if (typeof htu !== 'string' || !isUrlOf(htu, call)) throw invalid('htu is not the URL of this endpoint')
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) throw invalid('jti is missing or too long')
    if (parts.nonceRequired && !isCurrentNonce(nonce)) throw demandNonce()
    if (typeof iat !== 'number' || iat > now + skewSeconds || iat < now - parts.maxAgeSeconds) {
      throw invalid('iat is not now')
    }
  }

  async function checkFirst(jti: string, call: Call): Promise<void> {
    const until = clock() + (parts.maxAgeSeconds + skewSeconds) * 1000
    if (await store.firstSeen(`dpop:${hashOf(`${plainUrl(call.url)} ${jti}`)}`, until)) return
    emit({ type: 'replay.seen', what: 'dpop' })
    throw invalid('The proof was used before')
  }

  function nonceAt(step: number): string {
    return vault.sign('dpop-nonce', String(Math.floor(clock() / 1000 / nonceSeconds) - step))
  }

  function isCurrentNonce(nonce: unknown): boolean {
    return typeof nonce === 'string' && (equalSecrets(nonce, nonceAt(0)) || equalSecrets(nonce, nonceAt(1)))
  }

  function demandNonce(): BackchannelError {
    return new BackchannelError('use_dpop_nonce', 'Repeat the request with the nonce in the proof', {
      headers: { 'DPoP-Nonce': nonceAt(0) },
    })
  }

  return check
}

function publicKeyIn({ jwk }: Jws): JWK {
  if (!isObject(jwk) || typeof jwk.kty !== 'string' || jwk.kty === 'oct' || 'd' in jwk || 'k' in jwk) {
    throw invalid('The proof has no public key')
  }
  return jwk as JWK
}

async function importKey(jwk: JWK, alg: string) {
  try {
    return await importJWK(jwk, alg)
  } catch (cause) {
    throw invalid('The key of the proof cannot be used', cause)
  }
}

function isUrlOf(htu: string, { url, mtlsUrl = url }: Call): boolean {
  const plain = plainUrl(htu)
  return plain === plainUrl(url) || plain === plainUrl(mtlsUrl)
}

/** Without query and fragment, normalized (RFC 9449 4.3). */
function plainUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return origin + pathname
}

function invalid(description: string, cause?: unknown): BackchannelError {
  return new BackchannelError('invalid_dpop_proof', description, { cause })
}
