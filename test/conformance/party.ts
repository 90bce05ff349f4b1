import { createPrivateKey } from 'node:crypto'
import { type Check, found } from './checks/catalogue.ts'
import type { AuthType, Config } from './config.ts'
import { type Certificate, createHttp, type Http } from './http.ts'
import type { SigningKey } from './jws.ts'

/** One of the two clients. */
export interface Party {
  readonly clientId: string
  readonly scope: string
  readonly acrValue: string | undefined
  readonly key: SigningKey
  /** All private keys, for encrypted ID tokens too. */
  readonly keys: readonly JsonWebKey[]
  readonly auth: AuthType
  /** Shows the client's certificate on every call. */
  readonly http: Http
  /** Is this the second client, which does some things differently? */
  readonly second: boolean
}

type JsonWebKey = Readonly<Record<string, unknown>> & { readonly kty: string }

/** A client that is registered at the server. */
export function createParty(config: Config, second: boolean, auth: AuthType, identity: Identity): Party {
  const client = second ? config.client2 : config.client
  const [key] = signingKeys(identity.keys)
  return {
    clientId: identity.clientId,
    scope: client.scope,
    acrValue: client.acr_value,
    key: key as unknown as SigningKey,
    keys: identity.keys,
    auth,
    http: createHttp(identity.certificate),
    second,
  }
}

export interface Identity {
  readonly clientId: string
  readonly keys: readonly JsonWebKey[]
  readonly certificate: Certificate
}

/** What the suite asks of a client's keys before it starts. */
export function* clientKeys(keys: readonly JsonWebKey[]): Check {
  const signing = signingKeys(keys)
  const [key] = signing
  if (signing.length !== 1 || key === undefined) {
    return yield found('S6 client', `${signing.length} signing keys, wanted one`)
  }
  if (typeof key.kid !== 'string' || (key.alg !== 'PS256' && key.alg !== 'ES256')) {
    return yield found('S6 client', `the key needs a kid, and alg PS256 or ES256, not ${key.alg}`)
  }
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) yield found('S6 client', 'a kid is there twice')
  const { asymmetricKeyDetails: details } = createPrivateKey({ key: key as never, format: 'jwk' })
  if (details?.modulusLength !== undefined && details.modulusLength < 2048) {
    yield found('S6 client', `an RSA key of ${details.modulusLength} bits`)
  }
}

function signingKeys(keys: readonly JsonWebKey[]): readonly JsonWebKey[] {
  return keys.filter(({ use = 'sig' }) => use === 'sig')
}
