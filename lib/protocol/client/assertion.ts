import { createSecretKey, type KeyObject } from 'node:crypto'
import type { BackchannelStore, Client } from '../../contracts/contracts.ts'
import { asymmetricAlgs, hmacAlgs, isSignedBy, type Jws, readJws } from '../../core/crypto/jws.ts'
import { hashOf } from '../../core/crypto/vault.ts'
import type { Emit } from '../../core/events.ts'
import { rememberedUntil } from '../../core/replay.ts'
import type { Verdict } from './credentials.ts'
import { macBytes } from './jwks.ts'

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
  keysFor(client: Client, jws: Jws): Promise<readonly KeyObject[]>
}

/** `JWT` and none are unspecific; every other type names another kind of JWT (RFC 8725 3.12, RFC 10070 4). */
const types: readonly (string | undefined)[] = [undefined, 'jwt', 'client-authentication+jwt']

/** Seconds a clock may be ahead of ours. */
const skewSeconds = 60

/** Checks `client_secret_jwt` and `private_key_jwt` assertions (RFC 7523 3, OpenID Connect Core 9). */
export function createCheckAssertion(parts: AssertionParts) {
  const { store, clock, emit } = parts
  const audiences = new Set(parts.audiences)
  const offered = new Set(parts.algs)

  return async (assertion: string, client: Client): Promise<Verdict> => {
    const jws = readJws(assertion)
    if (jws === undefined) return 'the assertion is not a signed JWT in compact form'
    const { alg, claims } = jws
    if (!mayUse(alg, client)) return 'the client may not sign assertions with this algorithm'
    if (!types.includes(jws.typ)) return 'the assertion is a JWT of another type'
    const wrong = wrongIn(claims, client, clock() / 1000)
    if (wrong !== undefined) return wrong
    if (!(await isSignedBy(jws, await keysOf(client, jws)))) return 'no key of the client verifies the assertion'
    const { jti, exp } = claims as { jti: string; exp: number }
    if (await store.firstSeen(`assertion:${hashOf(JSON.stringify([client.id, jti]))}`, rememberedUntil(exp)))
      return true
    emit({ type: 'replay.seen', clientId: client.id, what: 'assertion' })
    return 'the assertion was used before'
  }

  function mayUse(alg: string, { authMethod, metadata }: Client): boolean {
    const family: readonly string[] = authMethod === 'client_secret_jwt' ? hmacAlgs : asymmetricAlgs
    const registered = metadata.token_endpoint_auth_signing_alg
    return family.includes(alg) && offered.has(alg) && (registered === undefined || registered === alg)
  }

  async function keysOf(client: Client, jws: Jws): Promise<readonly KeyObject[]> {
    if (client.authMethod !== 'client_secret_jwt') return parts.keysFor(client, jws)
    const key = Buffer.from(client.metadata.client_secret ?? '')
    return key.length < macBytes(jws.alg) ? [] : [createSecretKey(key)]
  }

  function wrongIn({ iss, sub, aud, exp, iat, nbf, jti }: Jws['claims'], client: Client, now: number) {
    if (iss !== client.id || sub !== client.id) return 'iss and sub of the assertion are not both the client_id'
    if (!isForUs(aud)) return 'aud of the assertion is not accepted here'
    if (typeof exp !== 'number' || exp <= now) return 'exp of the assertion is missing or over'
    if (exp > now + parts.maxSeconds + skewSeconds) return `the assertion lives for more than ${parts.maxSeconds} s`
    if (isLater(iat, now + skewSeconds) || isLater(nbf, now + skewSeconds))
      return 'iat or nbf of the assertion is in the future'
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) return 'jti of the assertion is missing or too long'
    return undefined
  }

  function isForUs(aud: unknown): boolean {
    if (typeof aud === 'string') return audiences.has(aud)
    if (parts.audienceAsString || !Array.isArray(aud)) return false
    // where the issuer is the one audience, nobody may stand beside it (RFC 10070 4)
    if (audiences.size === 1 && aud.length !== 1) return false
    return aud.some((each) => typeof each === 'string' && audiences.has(each))
  }
}

/** Absent is fine, anything that is no number is not. */
function isLater(time: unknown, limit: number): boolean {
  return time !== undefined && !(typeof time === 'number' && time <= limit)
}
