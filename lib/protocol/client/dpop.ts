import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import type { BackchannelStore, Call } from '../../contracts/contracts.ts'
import { asymmetricAlgs, isSignedBy, type Jws, readJws } from '../../core/crypto/jws.ts'
import { equalSecrets, hashOf, type Vault } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { rememberedUntil } from '../../core/replay.ts'
import { isLongEnough, isPublicKey } from './jwks.ts'

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

/** What a proof is shown for, where it is not a call of a client at one of its endpoints. */
export interface Protected {
  /** Defaults to `POST`. */
  readonly method?: string
  /** The access token that came with the proof; `ath` has to be its hash (RFC 9449 7). */
  readonly accessToken?: string
}

/** Where a call came to. */
type Place = Pick<Call, 'url' | 'mtlsUrl'>

/**
 * Checks the DPoP proof of a call (RFC 9449 4.3).
 * @returns the thumbprint of the proven key; `undefined` when no proof was sent.
 * @throws BackchannelError `invalid_dpop_proof`, or `use_dpop_nonce` with a fresh `DPoP-Nonce`.
 */
export function createCheckDpop(parts: DpopParts) {
  const { store, clock, vault, emit } = parts
  const algs: readonly string[] = parts.algs ?? asymmetricAlgs

  async function check(call: Pick<Call, 'dpop' | 'wants'> & Place, what: Protected = {}): Promise<string | undefined> {
    const [proof, second] = call.dpop
    if (proof === undefined) return undefined
    if (second !== undefined || proof.length > longestProof) throw invalid('Send exactly one DPoP header')
    const jws = readJws(proof)
    if (jws === undefined || jws.typ !== 'dpop+jwt') throw invalid('The proof is not a JWT of type dpop+jwt')
    if (!algs.includes(jws.alg)) throw invalid('The algorithm of the proof is not supported')
    const jwk = publicKeyIn(jws)
    if (!(await isSignedBy(jws, [importKey(jwk)]))) throw invalid('The signature of the proof is not valid')
    checkClaims(jws.claims, call, what)
    await checkFirst(jws.claims as { jti: string; iat: number }, call.url)
    return calculateJwkThumbprint(jwk, 'sha256')
  }

  function checkClaims(claims: Jws['claims'], call: Pick<Call, 'wants'> & Place, what: Protected): void {
    const { method, url, nonceRequired } = call.wants ?? {}
    const { htm, htu, iat, jti, nonce, ath } = claims
    const now = clock() / 1000
    const expected = what.method ?? method ?? 'POST'
    if (htm !== expected) throw invalid(`htm is not ${expected}`)
    if (typeof htu !== 'string' || !isUrlOf(htu, url === undefined ? call : { url }))
      throw invalid('htu is not the URL of this endpoint')
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) throw invalid('jti is missing or too long')
    if (what.accessToken !== undefined && ath !== hashOf(what.accessToken))
      throw invalid('ath is not the hash of the access token')
    if ((parts.nonceRequired || nonceRequired) && !isCurrentNonce(nonce)) throw demandNonce()
    if (typeof iat !== 'number' || iat > now + skewSeconds || iat < now - parts.maxAgeSeconds) {
      throw invalid('iat is not now')
    }
  }

  async function checkFirst({ jti, iat }: { jti: string; iat: number }, url: string): Promise<void> {
    const until = rememberedUntil(iat + parts.maxAgeSeconds)
    if (await store.firstSeen(`dpop:${hashOf(`${plainUrl(url)} ${jti}`)}`, until)) return
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
  if (!isPublicKey(jwk)) throw invalid('The proof has no public key')
  if (jwk.kty === 'RSA' && !isLongEnough(jwk)) throw invalid('The key of the proof has less than 2048 bits')
  return jwk as JWK
}

function importKey(jwk: JWK): KeyObject {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch (cause) {
    throw invalid('The key of the proof cannot be used', cause)
  }
}

function isUrlOf(htu: string, { url, mtlsUrl = url }: Place): boolean {
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
