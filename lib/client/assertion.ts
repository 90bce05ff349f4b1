import type { BackchannelStore, Client } from '../contracts.ts'
import type { Emit } from '../events.ts'
import { asymmetricAlgs, hmacAlgs, isSignedBy, type Jws, readJws, type VerificationKey } from '../jws.ts'
import { hashOf } from '../secrets.ts'

export interface AssertionParts {
  readonly store: Pick<BackchannelStore, 'firstSeen'>
  readonly clock: () => number
  readonly emit: Emit
  /** What `aud` may be. */
  readonly audiences: readonly string[]
  /** FAPI 2: `aud` is a string, not an array. */
  readonly audienceAsString: boolean
  /** Longest life of an assertion, in seconds. */
  readonly maxSeconds: number
  /** Algorithms on offer, besides what a client registered. */
  readonly algs: readonly string[]
  /** The client's public keys that fit the header. */
  keysFor(client: Client, jws: Jws): Promise<readonly VerificationKey[]>
}

/** Kinds of JWT that are something else (RFC 8725 3.12). `JWT` and none are unspecific. */
const otherTypes = new Set(['oauth-authz-req+jwt', 'dpop+jwt', 'at+jwt', 'logout+jwt', 'token-introspection+jwt'])

/** Seconds a clock may be ahead of ours. */
const skewSeconds = 60

/** Checks `client_secret_jwt` and `private_key_jwt` assertions (RFC 7523 3, OpenID Connect Core 9). */
export function createCheckAssertion(parts: AssertionParts) {
  const { store, clock, emit } = parts
  const audiences = new Set(parts.audiences)
  const offered = new Set(parts.algs)

  return async (assertion: string, client: Client): Promise<boolean> => {
    const jws = readJws(assertion)
    if (jws === undefined || !mayUse(jws.alg, client) || otherTypes.has(jws.typ ?? '')) return false
    const exp = expiryOf(jws.claims, client, clock())
    const { jti } = jws.claims
    if (exp === undefined || typeof jti !== 'string' || jti === '' || jti.length > 256) return false
    if (!(await isSignedBy(jws, await keysOf(client, jws)))) return false
    const first = await store.firstSeen(`assertion:${hashOf(`${client.id} ${jti}`)}`, exp * 1000)
    if (!first) emit({ type: 'replay.seen', clientId: client.id, what: 'assertion' })
    return first
  }

  function mayUse(alg: string, { authMethod, metadata }: Client): boolean {
    const family: readonly string[] = authMethod === 'client_secret_jwt' ? hmacAlgs : asymmetricAlgs
    const registered = metadata.token_endpoint_auth_signing_alg
    return family.includes(alg) && offered.has(alg) && (registered === undefined || registered === alg)
  }

  async function keysOf(client: Client, jws: Jws): Promise<readonly VerificationKey[]> {
    const { client_secret } = client.metadata
    if (client.authMethod !== 'client_secret_jwt') return parts.keysFor(client, jws)
    return client_secret === undefined ? [] : [Buffer.from(client_secret)]
  }

  /** `exp` of an assertion whose claims are right, in epoch seconds. */
  function expiryOf(claims: Jws['claims'], client: Client, nowMs: number): number | undefined {
    const now = nowMs / 1000
    const { iss, sub, aud, exp, iat, nbf } = claims
    if (iss !== client.id || sub !== client.id || !isForUs(aud)) return undefined
    if (typeof exp !== 'number' || exp <= now || exp > now + parts.maxSeconds + skewSeconds) return undefined
    if (isLater(iat, now + skewSeconds) || isLater(nbf, now + skewSeconds)) return undefined
    return exp
  }

  function isForUs(aud: unknown): boolean {
    if (typeof aud === 'string') return audiences.has(aud)
    return (
      !parts.audienceAsString &&
      Array.isArray(aud) &&
      aud.some((each) => typeof each === 'string' && audiences.has(each))
    )
  }
}

/** Absent is fine, anything that is no number is not. */
function isLater(time: unknown, limit: number): boolean {
  return time !== undefined && !(typeof time === 'number' && time <= limit)
}
