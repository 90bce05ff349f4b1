import type { Request } from 'express'
import { inProcessQueue } from './adapters/queues/inProcess.ts'
import type { Client, GrantAnswer, GrantCall, Hint } from './contracts/contracts.ts'
import { aside } from './core/callHook.ts'
import { asymmetricAlgs, isSignedBy } from './core/crypto/jws.ts'
import { createVault, hashOf, isId } from './core/crypto/vault.ts'
import { BackchannelError } from './core/errors.ts'
import { createEmit } from './core/events.ts'
import { createGuard, guardStore } from './core/guard.ts'
import { createCallOf, whenAborted } from './core/http/call.ts'
import { fromParsed } from './core/http/form.ts'
import { createFindByHandle, type HandleKind } from './core/lookup.ts'
import { noticeStrings } from './core/noticeTexts.ts'
import { createOutbound } from './core/outbound/outbound.ts'
import type { RequestDetails, RequestRecord } from './core/request.ts'
import { type RequestState, stateOf } from './core/requestState.ts'
import { ownStore } from './core/scopeToIssuer.ts'
import { createDoctor } from './doctor/doctor.ts'
import { defaultChannels, secretOf, temporaryKeys, temporaryStore } from './options/defaults.ts'
import { aliasesOf, urlsOf } from './options/paths.ts'
import { profiles } from './options/profiles.ts'
import { type BackchannelOptions, readOptions } from './options/schema.ts'
import { createCheck } from './protocol/approval/check.ts'
import { createComplete } from './protocol/approval/complete.ts'
import { readCompletion } from './protocol/approval/completionInput.ts'
import type { Completion } from './protocol/approval/completionRequest.ts'
import { type Completed, createReport } from './protocol/approval/completionResult.ts'
import { createLinks } from './protocol/approval/pageCookie.ts'
import { readTokenMembers } from './protocol/approval/tokenOverrides.ts'
import { createRender } from './protocol/approval/view/render.ts'
import { wantedValues } from './protocol/authorization/claims.ts'
import { createClientRoom } from './protocol/client/room.ts'
import { createBlocks } from './protocol/limits/blocks.ts'
import { createLinkOf } from './protocol/notice/link.ts'
import type { ResendOptions, Resent } from './protocol/notice/resend.ts'
import { authReqIdOf } from './protocol/notification/body.ts'
import type { CallClient } from './protocol/notification/callClient.ts'
import { createNotify } from './protocol/notification/notify.ts'
import { createRequestRoom } from './protocol/request/room.ts'
import { metadataOf } from './protocol/token/discovery.ts'
import { createServeCall, createServeToken } from './protocol/token/endpoint.ts'
import { createGrantAnswers } from './protocol/token/grantAnswer.ts'
import { createLongPoll } from './protocol/token/longPoll.ts'
import { createTokenRoom } from './protocol/token/room.ts'

/** The engine behind the router: every step without Express, for jobs, own routes and tests. */
export type Backchannel = ReturnType<typeof createBackchannel>

/** Another server that serves the clients: it knows them, and tells them how their requests ended. */
export interface ClientsElsewhere {
  findClient(clientId: string): Promise<Client | undefined>
  /** Reads what it has made of an `id_token_hint` that it has verified. */
  readIdTokenHint(text: string): Promise<Hint>
  readonly callClient: CallClient
}

/**
 * Builds the rooms and hands functions from one to the other.
 * @param elsewhere Internal: for `express-ciba/adapters/oidc-provider`.
 * @throws TypeError that names the option and the remedy.
 */
export function createBackchannel(options: BackchannelOptions, elsewhere?: ClientsElsewhere) {
  const settings = readOptions(options)
  const { issuer, clock, users, telemetry } = settings
  const rules = profiles[settings.profile]
  const requestAlgs = rules.algs ?? asymmetricAlgs
  const emit = createEmit(settings.onEvent, settings.logger, telemetry)
  const notices = settings.logger ?? { warn: (_fields: object, text: string) => console.warn(text) }
  const guard = createGuard(emit, telemetry)
  const urls = urlsOf(settings.baseUrl ?? issuer, settings.paths)
  const mtlsUrls = settings.mtlsBaseUrl === undefined ? urls : urlsOf(settings.mtlsBaseUrl, settings.paths)
  const endpoints = aliasesOf(urls, mtlsUrls)
  const jwks = settings.keys ?? temporaryKeys(notices)
  const vault = createVault(secretOf(settings, jwks))
  const store = ownStore(guardStore(settings.store ?? temporaryStore(notices, clock), guard), issuer)
  const links = createLinks({ approveUrl: urls.approve, vault })
  const render = createRender({ ...settings.page, domain: new URL(urls.origin).host })
  const channels = settings.channels ?? defaultChannels(settings)
  const isActive = async (sub: string): Promise<boolean> =>
    users.isActive === undefined || (await guard('users', () => users.isActive?.(sub))) === true

  const outbound = createOutbound(settings.outbound)
  const clients = createClientRoom({
    settings,
    rules,
    store,
    vault,
    emit,
    guard,
    endpoints,
    fetchJson: (url) => outbound.getJson(url),
  })
  const { authenticate } = clients
  const { findClient } = elsewhere ?? clients

  const longPoll = settings.longPoll && createLongPoll(settings.longPoll, store)
  const tokens = createTokenRoom({
    settings,
    rules,
    jwks,
    store,
    vault,
    emit,
    guard,
    isActive,
    findClient,
    keysThat: clients.keysThat,
    checkDpop: clients.checkDpop,
    longPoll,
  })
  const findByHandle = createFindByHandle(store)
  const { isWithin } = tokens.authorizationDetails
  const isWantedBy = ({ metadata }: Client, { claims }: RequestDetails, sub: string): boolean => {
    // a subject that cannot be named is found out before anybody is asked
    const name = tokens.subjects.nameFor(metadata, sub)
    return wantedValues(claims, 'sub')?.includes(name) ?? true
  }
  const isWanted = async ({ clientId, details }: RequestRecord, sub: string): Promise<boolean> => {
    const client = await findClient(clientId)
    return client !== undefined && isWantedBy(client, details, sub)
  }
  const settle = createComplete({
    store,
    clock,
    emit,
    check: createCheck({ emit, vault, widerScopes: settings.widerScopes, isActive, isWithin, isWanted }),
    announce,
  })
  const fail = async (record: RequestRecord, reason: string) =>
    void (await settle(record, { result: 'failed', reason }))
  const blocks = createBlocks({ ...settings, seconds: settings.notMeBlockSeconds, guard, emit })
  const linkOf = createLinkOf({ ...settings, vault, linkFor: links.linkFor })
  const queue = settings.queue ?? inProcessQueue()
  const notify = createNotify({
    store,
    clock,
    emit,
    vault,
    queue,
    findClient,
    isActive,
    callClient: elsewhere?.callClient,
    post:
      telemetry === undefined ? outbound.post : (...call) => telemetry.step('delivery', () => outbound.post(...call)),
    mintTokens: tokens.mintPushed,
    revokeTokens: tokens.revokePushed,
    onUndelivered: settings.onUndelivered,
  })
  const report = createReport({
    findClient,
    notificationOf: notify.notificationOf,
    lifetimesOf: tokens.lifetimesOf,
  })
  queue.start(notify.run, (cause) => emit({ type: 'outage', of: 'queue', cause }))
  const requests = createRequestRoom({
    settings,
    rules,
    store,
    vault,
    emit,
    guard,
    channels,
    algs: requestAlgs,
    authenticate,
    findClient,
    readIdTokenHint: elsewhere?.readIdTokenHint,
    findTicket: (ticket) => findByHandle(ticket, 'ticket'),
    keysFor: clients.keysFor,
    readKey: tokens.readKey,
    requireServable: tokens.requireServable,
    readResources: (uris, client) => tokens.resources.read(uris, client.metadata),
    readAuthorizationDetails: (value, client) => tokens.authorizationDetails.read(value, client.metadata),
    isOurs: (jws) => isSignedBy(jws, tokens.keys.verifiers(jws.alg, jws.kid)),
    subjectOf: async (client, sub) => tokens.subjects.subjectOf(client.metadata, sub),
    isWanted: ({ sub }, { details }, client) => isWantedBy(client, details, sub),
    isBlocked: blocks.isBlocked,
    ...linkOf,
    keepJob: (record) => guard('queue', () => notify.keep(record)),
    statusUrl: (channel, id) => `${urls.notices}/${channel}/${id}`,
    messageFor: (locale) => noticeStrings(locale, settings.notices.texts).message,
    fail,
  })
  const { begin, issue } = requests
  const callOf = createCallOf(settings.getCertificate, endpoints)
  const { grants } = tokens
  const serveCall = createServeCall({ authenticate, grants })
  const serveToken = createServeToken({
    callOf: (req, form) => callOf(req, form, urls.token),
    authenticate,
    grants,
    otherGrants: settings.otherGrants,
    emit,
  })

  const { answer, answerOurs } = createGrantAnswers(emit)

  /** For code of the host's own: the public id does as well as a handle. */
  async function requestNamed(name: string): Promise<RequestRecord> {
    const record = isId(name) ? await store.find(name) : await findByHandle(name, 'authReqId', 'link')
    if (record === undefined) throw new BackchannelError('invalid_request', 'No such request', { status: 404 })
    return record
  }

  let closed: Promise<void> | undefined
  async function close(): Promise<void> {
    await longPoll?.close()
    await requests.settled()
    await notify.close()
    await outbound.close()
    await store.close?.()
  }

  function announce(record: RequestRecord): void {
    notify.announce(record)
    // an answer that other processes do not hear of is found by the next poll
    longPoll?.answered(record.id).catch((cause) => emit({ type: 'outage', of: 'store', cause }))
    const { answer } = record
    if (answer?.result === 'approved' || answer?.result === 'denied') {
      requests.learn(record, answer.result).catch(() => {}) // an outage is reported by the guard
    }
    if (answer === undefined) return
    aside(
      () => settings.onAnswer?.(record.id, answer),
      (cause) => emit({ type: 'fault', cause }),
    )
  }

  const metadata = metadataOf({
    ...settings,
    urls,
    mtlsUrls,
    clientAuthMethods: settings.clientAuthMethods.filter((each) => each !== undefined),
    clientAuthAlgs: clients.assertionAlgs,
    ...tokens.offers,
    grantTypes: [...grants.keys()],
    requestAlgs,
    dpopAlgs: requestAlgs,
    certificateBound: true,
    userCodes: settings.userCodes,
    ownTokens: settings.issueTokens === undefined,
  })

  return {
    /** Validates an authentication request. */
    begin,
    /** Stores a valid request and lets the user be asked. */
    issue,
    /** Where the request behind an `auth_req_id` or a link's handle stands; `undefined` when there is none. */
    async find(handle: string): Promise<RequestState | undefined> {
      const record = await findByHandle(handle, 'authReqId', 'link')
      return record === undefined ? undefined : stateOf(record, clock())
    },
    /**
     * Settles a request: the user's answer, or the end of it. The first answer stands, and repeating it is no error.
     * @throws BackchannelError, and then nothing has changed: what is wrong with the completion, or with its time.
     */
    async complete(completion: Completion): Promise<Completed> {
      const { kind, handle, decision } = readCompletion(completion)
      const kinds: HandleKind[] = kind === 'ticket' ? ['ticket'] : ['authReqId', 'link']
      const record = await findByHandle(handle, ...kinds)
      if (record === undefined) throw new BackchannelError('invalid_request', 'No such request', { status: 404 })
      const settled = await settle(record, decision, kind === 'ticket')
      if (kind === 'ticket') return report(settled, authReqIdOf(settled, vault))
      return report(settled, settled.authReqIdHash === hashOf(handle) ? handle : undefined)
    },
    /**
     * Sends the link of an open request again: the same link, by the same choice of channels or by the one named.
     * `request`: its `auth_req_id`, or its public id as in events. A failure is thrown, and the request stays open.
     */
    resend: async (request: string, options: ResendOptions = {}): Promise<Resent> =>
      requests.resend(await requestNamed(request), options),
    /** Ends an open request that nobody waits for any more: its page says so, the client gets `expired_token`. */
    async cancel(request: string): Promise<void> {
      await fail(await requestNamed(request), 'cancelled')
    },
    /** Keeps a client from asking a user, as "I did not start this" does. */
    block: blocks.block,
    /** Lets a client ask a user again. `false`: it was not kept from it. */
    unblock: blocks.unblock,
    /**
     * Serves a token route of the host's own: `undefined` when the grant is not ours, and then the body is untouched.
     * Protocol errors are answers too; send `status`, `headers` and `body` as they are.
     */
    grant: (req: Request): Promise<GrantAnswer | undefined> => answerOurs(() => serveToken(req)),
    /** As `grant`, for a server that is not Express. Every `grant_type` that is not ours is an error here. */
    grantFor: (call: GrantCall): Promise<GrantAnswer> =>
      answer(() =>
        serveCall({
          form: fromParsed(call.parameters),
          authorization: call.authorization,
          dpop: call.dpop ?? [],
          url: urls.token,
          mtlsUrl: mtlsUrls.token,
          certificate: () => (call.certificate === undefined ? undefined : { x509: call.certificate, chained: true }),
          ...(call.signal === undefined ? {} : { whenGone: whenAborted(call.signal) }),
        }),
      ),
    /**
     * Checks a client's metadata for a registration endpoint, with the `jwks_uri` and `sector_identifier_uri` that pairwise
     * subjects rest on (CIBA Core 4). Rejects with a TypeError that names the member and what is wrong.
     */
    checkRegistration: clients.checkRegistration,
    /** Checks keys, addresses, store, channels, session, clock, and the app and clients it is given. Sends nothing to anybody. */
    doctor: createDoctor({
      settings,
      urls,
      store,
      channels,
      metadata: elsewhere === undefined ? metadata : undefined,
      checkRegistration: clients.checkRegistration,
    }),
    /** Members for a discovery document, ours or the host's own. */
    metadata: () => metadata,
    /** Our public keys. */
    jwks: () => tokens.keys.publicSet,
    /** Pings and pushes that were given up, and a way to try one again. */
    deliveries: {
      /** What was given up, the newest first. */
      failed: () => queue.failed(),
      /** Tries a delivery again. `false` when there is none to try, or its request is over. */
      replay: (request: string) => queue.replay(request),
    },
    /** Resolves when every notice, ping and push under way was handed over; releases what this engine holds. */
    close: (): Promise<void> => {
      closed ??= close()
      return closed
    },
    /** @internal what the router mounts */
    parts: {
      settings,
      urls,
      vault,
      links,
      render,
      guard,
      emit,
      authenticate,
      isActive,
      findByHandle,
      findClient,
      settle,
      callOf,
      serveToken,
      serveCall,
      readTokenMembers,
      tickets: requests.tickets,
      steps: requests.steps,
      aliases: endpoints,
      tokens,
      channels,
      blocks,
      noticeStatus: requests.noticeStatus,
    },
  }
}
