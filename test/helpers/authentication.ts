import { BackchannelError, type BackchannelEvent, type ClientAuthMethod, type ClientMetadata } from 'express-ciba'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { Context } from '../../lib/core/context.ts'
import type { Call } from '../../lib/core/http/call.ts'
import { type Authenticated, authenticate } from '../../lib/protocol/client/authenticate.ts'
import { createClientKeys } from '../../lib/protocol/client/jwks.ts'
import { contextFor, issuer } from './context.ts'

export { issuer } from './context.ts'

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const secret = 'sécret: with ünusual+characters & 100% of it, long enough for HS512 ………………'

export interface AuthenticationOptions {
  /** Answers for `jwks_uri`s. */
  readonly fetchJson?: (url: string) => Promise<unknown>
  /** The issuer is the one audience. */
  readonly issuerAlone?: boolean
  /** So it is, as a string alone. */
  readonly strict?: boolean
  /** Methods and algorithms on offer. Default to all. */
  readonly methods?: readonly ClientAuthMethod[]
  readonly algs?: readonly string[]
}

/** What authenticates clients, and what it fetched and told. */
export interface Authenticating {
  authenticate(call: Call): Promise<Authenticated>
  readonly events: readonly BackchannelEvent[]
  /** URLs of the key sets that were fetched. */
  readonly fetched: readonly string[]
  /** Ids of the clients that were looked up. */
  readonly asked: readonly string[]
  /** Epoch milliseconds, to be moved. */
  readonly clock: { now: number }
}

/** Client authentication by every method, for these clients. */
export function authentication(
  clients: Record<string, Partial<ClientMetadata>>,
  options: AuthenticationOptions = {},
): Authenticating {
  const { fetchJson, strict = false, issuerAlone = strict, methods, algs } = options
  const fetched: string[] = []
  const asked: string[] = []
  const clock = { now: Date.now() }
  const context = contextFor({
    clock: () => clock.now,
    clients: {
      find: ({ clientId: id }) => {
        asked.push(id)
        return Object.hasOwn(clients, id) ? ({ client_id: id, ...clients[id] } as ClientMetadata) : undefined
      },
    },
    clientAuth: {
      assertionAudience: issuerAlone ? 'issuer' : 'any-endpoint',
      ...(methods && { methods }),
    },
  })
  const ctx: Context = {
    ...context,
    rules: { ...context.rules, audienceAsString: strict, ...(algs && { algs }) },
    clientKeys: createClientKeys(context.clock, async (url) => {
      fetched.push(url)
      return fetchJson?.(url)
    }),
  }
  return { authenticate: (call) => authenticate(ctx, call), events: context.events, fetched, asked, clock }
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
