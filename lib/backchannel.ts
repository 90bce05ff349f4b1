import type { Request } from 'express'
import { compose } from './compose.ts'
import type { ApproveInput, DenyInput, FailInput, Pair } from './contracts/approval.ts'
import type { ClientMetadata, JwkSet } from './contracts/clients.ts'
import type { BackchannelOptions } from './contracts/options.ts'
import type { DeliveryQueue, FailedDelivery } from './contracts/queue.ts'
import type { RequestRecord, RequestState } from './contracts/request.ts'
import type { GrantAnswer, GrantCall } from './contracts/tokens.ts'
import type { RegisteredClient } from './core/client.ts'
import type { AskContext, Context } from './core/context.ts'
import { notFound } from './core/errors.ts'
import { isObject } from './core/json.ts'
import { findNamed } from './core/lookup.ts'
import { stateOf } from './core/request.ts'
import { type DoctorOptions, examine, type Finding } from './doctor/doctor.ts'
import { complete, failRequest } from './protocol/approval/complete.ts'
import { type Named, readApprove, readDeny, readFail } from './protocol/approval/completionInput.ts'
import { checkRegistration } from './protocol/client/registration.ts'
import { block, unblock } from './protocol/limits/blocks.ts'
import { type ResendOptions, type Resent, resend } from './protocol/notice/resend.ts'
import { metadataOf } from './protocol/token/discovery.ts'
import { answerGrant, answerGrantFor } from './protocol/token/endpoint.ts'

/** Members of a discovery document (OpenID Connect Discovery 3, RFC 8414 2). */
export type Metadata = Readonly<Record<string, unknown>>

/**
 * Pings and pushes that were given up, and a way to try one again.
 * @example
 * ```ts
 * for (const { request, reason } of await backchannel.deliveries.failed()) {
 *   if (reason !== 'forbidden') await backchannel.deliveries.replay(request)
 * }
 * ```
 */
export interface Deliveries {
  /** What was given up, the newest first; at most the last thousand. */
  failed(): Promise<readonly FailedDelivery[]>
  /** Tries a delivery again. `false` when there is none to try, or its request is over. */
  replay(request: string): Promise<boolean>
}

/**
 * What a host may do about requests, whoever serves the clients. A request is named by its `auth_req_id`, by the handle
 * of its link, or by its public id as in events.
 */
export interface AskingEngine {
  /**
   * Stores that the user has agreed. The first answer stands, and repeating it is no error.
   * @returns how the request stands then.
   * @throws BackchannelError, and then nothing has changed: 404 there is no such request, 410 it has expired, 409 it
   * was answered otherwise, 403 it is for another user, or they may not act, 401 the login is too old, 400 what is
   * wrong with the approval. 503: the store gave no reply, and the same call again tells whether the answer is stored.
   * @example
   * ```ts
   * await backchannel.approve({ request, by: { sub: req.user.sub, authTime: req.session.authTime } })
   * ```
   */
  approve(approval: ApproveInput): Promise<RequestState>
  /**
   * Stores that the user, or the host, has declined. Everything else is as with `approve`.
   * @example
   * ```ts
   * await backchannel.deny({ request, by: { sub: req.user.sub } })
   * ```
   */
  deny(denial: DenyInput): Promise<RequestState>
  /**
   * Ends a request that no usable answer will come to: the client gets `expired_token`. Everything else is as with
   * `approve`.
   * @example
   * ```ts
   * await backchannel.fail({ request, reason: 'timeout' })
   * ```
   */
  fail(failure: FailInput): Promise<RequestState>
  /**
   * How a request stands; `undefined` when there is none of that name.
   * @example
   * ```ts
   * const state = await backchannel.find(request)
   * if (state?.status === 'pending') showQuestion(state.bindingMessage, state.scope)
   * ```
   */
  find(request: string): Promise<RequestState | undefined>
  /**
   * Sends the link of an open request again: the same link, by the same choice of channels or by the one named.
   * @throws BackchannelError, and the request stays as it is: 404, 409, 410 there is no open request, 429 it was sent
   * moments ago, 503 it could not be sent.
   * @example
   * ```ts
   * const { channel, link } = await backchannel.resend(request, { channel: 'email' })
   * ```
   */
  resend(request: string, options?: ResendOptions): Promise<Resent>
  /**
   * Ends an open request that is not wanted any more: its page says so, and the client gets `expired_token`.
   * @throws BackchannelError 404, 409, 410: there is no open request.
   * @example
   * ```ts
   * await backchannel.cancel(request)
   * ```
   */
  cancel(request: string): Promise<void>
  /**
   * Keeps a client from asking a user, as "I did not start this" does, for `limits.notMeBlockSeconds`.
   * @example
   * ```ts
   * await backchannel.block({ clientId: 'till', sub: user.sub })
   * ```
   */
  block(pair: Pair): Promise<void>
  /**
   * Lets a client ask a user again. `false`: it was not kept from it.
   * @example
   * ```ts
   * const wasBlocked = await backchannel.unblock({ clientId: 'till', sub: user.sub })
   * ```
   */
  unblock(pair: Pair): Promise<boolean>
}

/** The engine behind the router: every step without Express, for jobs, screens and routes of the host's own. */
export interface Backchannel extends AskingEngine {
  /**
   * Serves a token route of the host's own: `undefined` when the grant is not ours, and then the body is untouched.
   * Protocol errors are answers too; send `status`, `headers` and `body` as they are.
   * @example
   * ```ts
   * app.post('/token', async (req, res, next) => {
   *   const answer = await backchannel.grant(req)
   *   if (answer === undefined) return next()
   *   res.status(answer.status).set(answer.headers).json(answer.body)
   * })
   * ```
   */
  grant(req: Request): Promise<GrantAnswer | undefined>
  /**
   * As `grant`, for a server that is not Express. Every `grant_type` that is not ours is an error here.
   * @example
   * ```ts
   * const { status, headers, body } = await backchannel.grantFor({
   *   parameters: Object.fromEntries(new URLSearchParams(text)),
   *   authorization: request.headers.authorization,
   * })
   * ```
   */
  grantFor(call: GrantCall): Promise<GrantAnswer>
  /**
   * Our members of the discovery document: all that `paths.discovery` answers.
   * @example
   * ```ts
   * const { backchannel_authentication_endpoint: endpoint } = backchannel.metadata()
   * ```
   */
  metadata(): Metadata
  /**
   * A host's own discovery document with our members in it. What the host says stays, `issuer` and `jwks_uri` too;
   * lists and the aliases for mutual TLS are joined; the rest of ours is added where it is absent.
   * @example
   * ```ts
   * app.get('/.well-known/openid-configuration', (req, res) => res.json(backchannel.mergeMetadata(myDocument)))
   * ```
   */
  mergeMetadata(hostDocument: Metadata): Metadata
  /**
   * Our public keys: all that `paths.jwks` answers.
   * @example
   * ```ts
   * app.get('/jwks', (req, res) => res.json({ keys: [...myKeys, ...backchannel.jwks().keys] }))
   * ```
   */
  jwks(): JwkSet
  /** Pings and pushes that were given up. */
  readonly deliveries: Deliveries
  /**
   * Checks a client's metadata for a registration endpoint, with the `jwks_uri` and `sector_identifier_uri` that
   * pairwise subjects rest on (CIBA Core 4).
   * @throws TypeError that names the client, the member and what is wrong.
   * @example
   * ```ts
   * await backchannel.checkRegistration({ ...req.body, client_id: newClientId })
   * ```
   */
  checkRegistration(metadata: ClientMetadata): Promise<RegisteredClient>
  /**
   * Checks keys, secret, addresses, store, channels, session, limits, clock, and the app and clients it is given. Sends
   * no notice.
   * @example
   * ```ts
   * const findings = await backchannel.doctor({ app, clientIds: ['till'] })
   * const failed = findings.filter(({ result }) => result === 'fail')
   * ```
   */
  doctor(options?: DoctorOptions): Promise<readonly Finding[]>
  /**
   * Resolves when every notice, ping and push under way was handed over; releases what this engine holds.
   * @example
   * ```ts
   * process.on('SIGTERM', () => server.close(() => backchannel.close()))
   * ```
   */
  close(): Promise<void>
}

/** The inside of every engine. A host that has an engine cannot reach it. */
const contexts = new WeakMap<Backchannel, Context>()

/**
 * The engine without a router.
 * @throws TypeError that names the option and the remedy.
 * @example
 * ```ts
 * const backchannel = createBackchannel({ issuer: 'https://login.example.com', clients, users, store, keys })
 * app.use(createBackchannelRouter(backchannel))
 * ```
 */
export function createBackchannel(options: BackchannelOptions): Backchannel {
  const { context, close } = compose(options)
  const metadata = metadataOf(context)
  const { queue, signingKeys } = context
  const backchannel: Backchannel = Object.freeze({
    ...askingEngine(context),
    grant: (req: Request) => answerGrant(context, req),
    grantFor: (call: GrantCall) => answerGrantFor(context, call),
    metadata: () => metadata,
    mergeMetadata: (hostDocument: Metadata) => merge(hostDocument, metadata),
    jwks: () => signingKeys.publicSet,
    deliveries: deliveriesOf(queue),
    checkRegistration: (client: ClientMetadata) => checkRegistration(context, client),
    doctor: (doctorOptions: DoctorOptions = {}) => examine(context, options, doctorOptions),
    close,
  })
  contexts.set(backchannel, context)
  return backchannel
}

/** The inside of an engine, for the routes that are mounted on it. */
export function contextOf(backchannel: Backchannel): Context {
  const context = contexts.get(backchannel)
  if (context !== undefined) return context
  throw new TypeError('express-ciba: this engine was not made by createBackchannel of this copy of the package')
}

/** What an engine offers of its queue. */
export function deliveriesOf(queue: DeliveryQueue): Deliveries {
  return Object.freeze({
    failed: () => queue.failed(),
    replay: (request: string) => queue.replay(request),
  })
}

/** The part of an engine that asks users. */
export function askingEngine(ctx: AskContext): AskingEngine {
  const named = async (request: string): Promise<RequestRecord> => {
    const record = await findNamed(ctx, request)
    if (record === undefined) throw notFound()
    return record
  }
  const settle = async ({ request, decision }: Named): Promise<RequestState> =>
    stateOf(await complete(ctx, await named(request), decision), ctx.clock())
  return {
    approve: async (approval) => settle(readApprove(approval)),
    deny: async (denial) => settle(readDeny(denial)),
    fail: async (failure) => settle(readFail(failure)),
    find: async (request) => {
      const record = await findNamed(ctx, request)
      return record === undefined ? undefined : stateOf(record, ctx.clock())
    },
    resend: async (request, options = {}) => resend(ctx, await named(request), options),
    cancel: async (request) => failRequest(ctx, await named(request), 'cancelled'),
    block: (pair) => block(ctx, pair),
    unblock: (pair) => unblock(ctx, pair),
  }
}

/** The host's members first, and ours where there are none. */
function merge(host: Metadata, ours: Metadata): Metadata {
  const merged: Record<string, unknown> = { ...host }
  for (const [name, value] of Object.entries(ours)) {
    const given = host[name]
    if (given === undefined) merged[name] = value
    else if (Array.isArray(given) && Array.isArray(value)) merged[name] = [...new Set([...given, ...value])]
    else if (isObject(given) && isObject(value)) merged[name] = { ...value, ...given }
  }
  return merged
}
