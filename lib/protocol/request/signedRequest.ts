import type { KeyObject } from 'node:crypto'
import type { BackchannelStore, Client, Form } from '../../contracts/contracts.ts'
import { isSignedBy, type Jws, readJws } from '../../core/crypto/jws.ts'
import { hashOf } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { checkJson } from '../../core/json.ts'
import { rememberedUntil } from '../../core/replay.ts'
import { type Parameters, parameterNames } from './parameters.ts'

export interface SignedParts {
  readonly store: Pick<BackchannelStore, 'firstSeen'>
  readonly clock: () => number
  readonly emit: Emit
  readonly issuer: string
  /** Algorithms on offer. */
  readonly algs: readonly string[]
  /** Every request has to be signed. */
  readonly required: boolean
  /** The client's public keys that fit the header. */
  keysFor(client: Client, jws: Jws): Promise<readonly KeyObject[]>
}

/** Seconds a request may live, and seconds ago it may have begun (FAPI-CIBA, FAPI 1 Advanced 5.2.2). */
const longestLife = 3_600
/** Seconds a clock may be ahead of ours. */
const skewSeconds = 60

/**
 * Reads the parameters of a request, from its form or from its signed `request` (CIBA Core 7.1.1).
 * @throws BackchannelError `invalid_request`, whatever is wrong with a signed request.
 */
export function createReadParameters(parts: SignedParts) {
  const { store, clock, emit } = parts

  return async (form: Form, client: Client): Promise<Parameters> => {
    const request = form.values.get('request')
    if (form.values.has('request_uri')) throw invalid('request_uri is not defined for backchannel authentication')
    if (request === undefined) {
      if (parts.required || form.empty.has('request'))
        throw invalid('The request must be signed: send it as a JWT in request')
      return fromForm(form)
    }
    const jws = await verified(request, client)
    const expiry = checkClaims(jws.claims, client)
    refuseOutside(form)
    const key = `request:${hashOf(JSON.stringify([client.id, jws.claims.jti]))}`
    const first = await store.firstSeen(key, rememberedUntil(expiry))
    if (!first) {
      emit({ type: 'replay.seen', clientId: client.id, what: 'request' })
      throw invalid('This request was sent before; sign a new one for each attempt')
    }
    return fromClaims(jws.claims)
  }

  async function verified(request: string, client: Client): Promise<Jws> {
    const registered = client.metadata.backchannel_authentication_request_signing_alg
    if (registered === undefined) throw invalid('This client is not registered for signed requests')
    const jws = readJws(request)
    if (jws === undefined) throw invalid('request is not a signed JWT in compact form')
    if (jws.alg !== registered || !parts.algs.includes(jws.alg))
      throw invalid('request is not signed with the registered algorithm')
    if (jws.typ !== undefined && jws.typ !== 'jwt' && jws.typ !== 'oauth-authz-req+jwt') {
      throw invalid('request is a JWT of another type')
    }
    if (!(await isSignedBy(jws, await parts.keysFor(client, jws))))
      throw invalid('The signature of request is not valid')
    return jws
  }

  /** @returns `exp`, in epoch seconds */
  function checkClaims(claims: Jws['claims'], client: Client): number {
    const { iss, aud, exp, nbf, iat, jti, sub } = claims
    const now = clock() / 1000
    if (iss !== client.id) throw invalid('iss of request must be the client_id')
    if (aud !== parts.issuer && !(Array.isArray(aud) && aud.includes(parts.issuer))) {
      throw invalid('aud of request must contain the issuer')
    }
    if (typeof exp !== 'number' || exp <= now) throw invalid('exp of request must be in the future')
    if (typeof nbf !== 'number' || nbf > now + skewSeconds) throw invalid('nbf of request must be reached')
    if (nbf < now - longestLife || exp - nbf > longestLife) throw invalid('request must live for 60 minutes at most')
    if (typeof iat !== 'number' || iat > now + skewSeconds) throw invalid('iat of request must be a time in the past')
    if (typeof jti !== 'string' || jti === '' || jti.length > 256)
      throw invalid('jti of request must be 1 to 256 characters')
    // RFC 9101 10.8: a request object must never do as a client assertion
    if (sub === client.id) throw invalid('sub of request must not be the client_id')
    if ('request' in claims || 'request_uri' in claims) throw invalid('request must not contain another request')
    try {
      checkJson(claims)
    } catch (thrown) {
      throw invalid(`request ${(thrown as Error).message}`)
    }
    return exp
  }
}

function fromForm(form: Form): Parameters {
  return {
    get: (name) => form.values.get(name),
    sentEmpty: (name) => form.empty.has(name),
    resources: form.resources,
  }
}

function fromClaims(claims: Jws['claims']): Parameters {
  const { resource = [] } = claims
  const resources: unknown[] = Array.isArray(resource) ? resource : [resource]
  if (!resources.every((each): each is string => typeof each === 'string'))
    throw invalid('resource must be a string or an array of strings')
  return {
    get: (name) => (Object.hasOwn(claims, name) && claims[name] !== '' ? claims[name] : undefined),
    sentEmpty: (name) => Object.hasOwn(claims, name) && claims[name] === '',
    resources,
  }
}

/** Only what is signed counts (CIBA Core 7.1.1): no parameter may stand beside the request. */
function refuseOutside({ values, empty, resources }: Form): void {
  const outside = parameterNames.find(
    (name) => values.has(name) || empty.has(name) || (name === 'resource' && resources.length > 0),
  )
  if (outside !== undefined) throw invalid(`${outside} must be inside the signed request`)
}

function invalid(description: string): BackchannelError {
  return new BackchannelError('invalid_request', description)
}
