import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Jwk } from '../../contracts/clients.ts'
import type { Context } from '../../core/context.ts'
import { equalSecrets, hashOf } from '../../core/crypto/handles.ts'
import { isLongEnough, isPublicKey, thumbprintOf } from '../../core/crypto/jwk.ts'
import { isSignedBy, type Jws, readJws } from '../../core/crypto/jws.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'
import { once, rememberedUntil } from '../../core/replay.ts'
import { clientAlgs } from './algs.ts'

/** Seconds that a proof is good for after its `iat`. */
const maxAgeSeconds = 60
/** Seconds that a client's clock may be ahead of ours. */
const skewSeconds = 10
/** Seconds that a nonce is handed out; it is good for as long again. */
const nonceSeconds = 60
const maxProofLength = 8_192

/** What a proof is shown for, where it is not a call of a client at one of its endpoints. */
export interface Protected {
  /** Defaults to `POST`. */
  readonly method?: string
  /** The access token that came with the proof; `ath` has to be its hash (RFC 9449 7). */
  readonly accessToken?: string
}

/** The part of a call that a proof is about. */
type ProvenCall = Pick<Call, 'dpop' | 'url' | 'mtlsUrl' | 'overrides'>

/**
 * Checks the DPoP proof of a call (RFC 9449 4.3).
 * @returns the thumbprint of the proven key; `undefined` when no proof was sent.
 * @throws BackchannelError `invalid_dpop_proof`, or `use_dpop_nonce` with a fresh `DPoP-Nonce`.
 */
export async function checkDpop(ctx: Context, call: ProvenCall, what: Protected = {}): Promise<string | undefined> {
  const [proof, second] = call.dpop
  if (proof === undefined) return undefined
  if (second !== undefined || proof.length > maxProofLength) throw invalid('Send exactly one DPoP header')
  const jws = readJws(proof)
  if (jws === undefined || jws.typ !== 'dpop+jwt') throw invalid('The proof is not a JWT of type dpop+jwt')
  if (!clientAlgs(ctx).includes(jws.alg)) throw invalid('The algorithm of the proof is not supported')
  const jwk = publicKeyIn(jws)
  if (!(await isSignedBy(jws, [importKey(jwk)]))) throw invalid('The signature of the proof is not valid')
  checkClaims(ctx, jws.claims, call, what)
  await checkFirst(ctx, jws.claims as { jti: string; iat: number }, call.url)
  return thumbprintOf(jwk)
}

function publicKeyIn({ jwk }: Jws): Jwk {
  if (!isPublicKey(jwk)) throw invalid('The proof has no public key')
  if (jwk.kty === 'RSA' && !isLongEnough(jwk)) throw invalid('The key of the proof has less than 2048 bits')
  return jwk
}

function importKey(jwk: Jwk): KeyObject {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch (cause) {
    throw invalid('The key of the proof cannot be used', cause)
  }
}

function checkClaims(ctx: Context, claims: Jws['claims'], call: ProvenCall, what: Protected): void {
  const { method, url, nonceRequired } = call.overrides ?? {}
  const { htm, htu, iat, jti, nonce, ath } = claims
  const now = ctx.clock() / 1000
  const expected = what.method ?? method ?? 'POST'
  if (htm !== expected) throw invalid(`htm is not ${expected}`)
  if (typeof htu !== 'string' || !isUrlOf(htu, url === undefined ? call : { url })) {
    throw invalid('htu is not the URL of this endpoint')
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) throw invalid('jti is missing or too long')
  if (what.accessToken !== undefined && ath !== hashOf(what.accessToken)) {
    throw invalid('ath is not the hash of the access token')
  }
  if ((ctx.settings.clientAuth.dpopNonce || nonceRequired) && !isCurrentNonce(ctx, nonce)) throw demandNonce(ctx)
  if (typeof iat !== 'number' || iat > now + skewSeconds || iat < now - maxAgeSeconds) throw invalid('iat is not now')
}

function isUrlOf(htu: string, { url, mtlsUrl = url }: Pick<Call, 'url' | 'mtlsUrl'>): boolean {
  const plain = plainUrl(htu)
  return plain === plainUrl(url) || plain === plainUrl(mtlsUrl)
}

/** Without query and fragment, normalized (RFC 9449 4.3). */
function plainUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return origin + pathname
}

function isCurrentNonce(ctx: Context, nonce: unknown): boolean {
  return typeof nonce === 'string' && (equalSecrets(nonce, nonceAt(ctx, 0)) || equalSecrets(nonce, nonceAt(ctx, 1)))
}

function demandNonce(ctx: Context): BackchannelError {
  return new BackchannelError('use_dpop_nonce', 'Repeat the request with the nonce in the proof', {
    headers: { 'DPoP-Nonce': nonceAt(ctx, 0) },
  })
}

/** The nonce of so many steps of `nonceSeconds` ago. */
function nonceAt({ vault, clock }: Context, stepsAgo: number): string {
  return vault.sign('dpop-nonce', String(Math.floor(clock() / 1000 / nonceSeconds) - stepsAgo))
}

async function checkFirst(ctx: Context, { jti, iat }: { jti: string; iat: number }, url: string): Promise<void> {
  const until = rememberedUntil(iat + maxAgeSeconds)
  if (await once(ctx, 'dpop', hashOf(`${plainUrl(url)} ${jti}`), until)) return
  ctx.emit({ type: 'replay.seen', what: 'dpop' })
  throw invalid('The proof was used before')
}

function invalid(description: string, cause?: unknown): BackchannelError {
  return new BackchannelError('invalid_dpop_proof', description, { cause })
}
