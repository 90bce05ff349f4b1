import {
  BackchannelError,
  type BackchannelEvent,
  type Call,
  type ClientAuthMethod,
  type ClientMetadata,
  memoryStore,
} from 'express-ciba'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { asymmetricAlgs, hmacAlgs } from '../../lib/core/crypto/jws.ts'
import { createCheckAssertion } from '../../lib/protocol/client/assertion.ts'
import { createAuthenticate } from '../../lib/protocol/client/authenticate.ts'
import { createCheckCertificate, thumbprintOf } from '../../lib/protocol/client/certificate.ts'
import { createClientKeys } from '../../lib/protocol/client/jwks.ts'
import { createReadClient } from '../../lib/protocol/client/metadata.ts'

export const issuer = 'https://login.example.com'
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const secret = 'sécret: with ünusual+characters & 100% of it, long enough for HS512 ………………'

const methods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const

export interface AuthenticationOptions {
  /** Answers for `jwks_uri`s. */
  readonly fetchJson?: (url: string) => Promise<unknown>
  /** Issuer alone, as a string alone. */
  readonly strict?: boolean
  readonly audiences?: readonly string[]
  /** Methods and algorithms on offer. Default to all. */
  readonly methods?: readonly ClientAuthMethod[]
  readonly algs?: readonly string[]
}

/** Client authentication by every method, for these clients, with what it fetched and told. */
export function authentication(clients: Record<string, Partial<ClientMetadata>>, options: AuthenticationOptions = {}) {
  const events: BackchannelEvent[] = []
  const fetched: string[] = []
  const asked: string[] = []
  const clock = { now: Date.now() }
  const everywhere = [issuer, `${issuer}/oidc/token`, `${issuer}/oidc/backchannel`]
  const keys = createClientKeys({
    clock: () => clock.now,
    fetchJson: async (url) => {
      fetched.push(url)
      return options.fetchJson?.(url)
    },
  })
  const authenticate = createAuthenticate({
    find: (id) => {
      asked.push(id)
      return Object.hasOwn(clients, id) ? ({ client_id: id, ...clients[id] } as ClientMetadata) : undefined
    },
    clock: () => clock.now,
    read: createReadClient(),
    methods: options.methods ?? methods,
    checkAssertion: createCheckAssertion({
      store: memoryStore(),
      clock: () => clock.now,
      emit: (event) => events.push(event),
      audiences: options.strict ? [issuer] : (options.audiences ?? everywhere),
      audienceAsString: options.strict ?? false,
      maxSeconds: 300,
      algs: options.algs ?? [...asymmetricAlgs, ...hmacAlgs],
      keysFor: keys.keysFor,
    }),
    checkCertificate: createCheckCertificate({ clock: () => clock.now, keysThat: keys.keysThat }),
    thumbprintOf,
  })
  return { authenticate, events, fetched, asked, clock }
}

/** A call at the token endpoint with this form. */
export function callWith(form: Record<string, string>, rest: Partial<Call> = {}): Call {
  return {
    form: { values: new Map(Object.entries(form)), empty: new Set(), resources: [] },
    dpop: [],
    url: `${issuer}/oidc/token`,
    certificate: () => undefined,
    ...rest,
  }
}

/** A call that shows this assertion. */
export function callAsserting(client_assertion: string, rest: Record<string, string> = {}): Call {
  return callWith({ client_assertion, client_assertion_type: assertionType, ...rest })
}

/** The client that was authenticated, or the refusal; a fault is thrown. */
export async function outcome(run: Promise<{ client: { id: string } }>): Promise<string> {
  try {
    return (await run).client.id
  } catch (thrown) {
    if (!(thrown instanceof BackchannelError)) throw thrown
    return `${thrown.status} ${thrown.code}`
  }
}

/** Why a client was refused, as the host's log may say it. Fails when it was not, or when the caller is told. */
export async function reason(run: Promise<unknown>): Promise<string> {
  const thrown = await run.then(
    () => new Error('was not refused'),
    (error: unknown) => error,
  )
  if (!(thrown instanceof BackchannelError) || thrown.code !== 'invalid_client') throw thrown
  if (JSON.stringify(thrown) !== '{"error":"invalid_client","error_description":"Client authentication failed"}')
    throw new Error(`the caller was told ${JSON.stringify(thrown)}`)
  return (thrown.cause as Error).message
}

export const nowSeconds = () => Math.floor(Date.now() / 1000)

/** Claims of an assertion of the client `till` that is right in every respect. */
export function assertionClaims(changes: JWTPayload = {}): JWTPayload {
  const now = nowSeconds()
  return { iss: 'till', sub: 'till', aud: issuer, iat: now, exp: now + 60, jti: crypto.randomUUID(), ...changes }
}

const pairs = new Map<string, ReturnType<typeof generateKeyPair>>()

/** One key pair for each algorithm, made once. */
export function pairFor(alg: string) {
  const pair = pairs.get(alg) ?? generateKeyPair(alg, { extractable: true })
  pairs.set(alg, pair)
  return pair
}

export async function publicJwk(alg: string): Promise<JWK & { kty: string }> {
  return (await exportJWK((await pairFor(alg)).publicKey)) as JWK & { kty: string }
}

export async function jwksFor(alg: string, kid = '1') {
  return { keys: [{ ...(await publicJwk(alg)), kid }] as const }
}

/** The client `till`, registered with the public key of an algorithm. */
export async function clientWith(alg: string, rest: Partial<ClientMetadata> = {}) {
  return {
    till: {
      token_endpoint_auth_method: 'private_key_jwt' as const,
      jwks: await jwksFor(alg),
      ...rest,
    },
  }
}

export async function sign(payload: JWTPayload, alg = 'ES256', header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg, ...header }).sign((await pairFor(alg)).privateKey)
}
