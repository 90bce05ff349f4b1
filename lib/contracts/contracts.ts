import type { X509Certificate } from 'node:crypto'
import type { Request } from 'express'
import type { ChannelFailure } from '../core/errors.ts'
import type { BackchannelEvent } from '../core/events.ts'
import type { DeliveryMode, GrantRecord, Move, RequestRecord, Rotation, TokenWishes } from '../core/request.ts'

/** A value, or a promise of it. Hosts answer either way. */
export type Awaitable<T> = T | Promise<T>

/** A step of ours that may take time. The second half are calls of what the host plugged in. */
export type Step =
  | 'backchannel_authentication'
  | 'token'
  | 'revocation'
  | 'introspection'
  | 'approval_page'
  | 'completion'
  | 'notice_status'
  | 'channel'
  | 'delivery'
  | 'store'
  | 'users'
  | 'clients'
  | 'session'
  | 'limits'
  | 'queue'
  | 'tokens'

/** Watches what happens and how long it takes: `openTelemetry(api)` of `express-ciba/adapters/opentelemetry`, or your own. */
export interface Telemetry {
  /** Runs the step and gives its result, or its failure, as it is. */
  step<T>(step: Step, run: () => Promise<T>): Promise<T>
  event(event: BackchannelEvent): void
}

/** A JSON Web Key (RFC 7517). */
export interface Jwk {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly [member: string]: unknown
}

/** A JSON Web Key Set. */
export interface JwkSet {
  readonly keys: readonly Jwk[]
}

/**
 * What names the user. `type` says how to read `value`:
 * `email`, `phone`, `user_id` from `login_hint` (declared by `request_context`, or recognised by its looks),
 * `sub` from a verified `id_token_hint` or the JSON `iss_sub` form, `login_hint_token` from a verified token.
 */
export interface Hint {
  readonly type: 'email' | 'phone' | 'user_id' | 'sub' | 'login_hint_token'
  readonly value: string
  /** Claims of the verified `login_hint_token` or `id_token_hint`. Absent: the client has named the user and shown nothing. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A user of the host. Member names are those of OpenID Connect Core 5.1; further claims may stand beside them. */
export interface User {
  /** The host's stable name for the user, ≤ 255 ASCII characters, never reassigned. */
  readonly sub: string
  readonly name?: string
  /** Where e-mail notices go. Not used when `email_verified` is `false`. */
  readonly email?: string
  readonly email_verified?: boolean
  /** Where SMS notices go, E.164. Not used when `phone_number_verified` is `false`. */
  readonly phone_number?: string
  readonly phone_number_verified?: boolean
  /** BCP 47 language tag for notices and the page. */
  readonly locale?: string
  readonly [claim: string]: unknown
}

/** The host's users. */
export interface Users {
  /** Finds the user that a hint names. `undefined` (or `null`) answers `unknown_user_id`; throwing answers 503. */
  find(hint: Hint, client: ClientMetadata): Awaitable<User | undefined | null>
  /**
   * May this user act now? Asked at the request, the decision, the redemption and the refresh.
   * Defaults to yes. Answer `false` for locked, disabled and deleted accounts.
   */
  isActive?(sub: string): Awaitable<boolean>
  /**
   * Claims for the ID token. `names`: those that scope and the `claims` member ask for; what else is returned is dropped.
   * Defaults to none.
   */
  claims?(sub: string, scope: readonly string[], names: readonly string[]): Awaitable<Readonly<Record<string, unknown>>>
  /** Does this user want a `user_code` before being asked? Defaults to yes where the client is registered for it. */
  needsUserCode?(user: User, client: ClientMetadata): Awaitable<boolean>
  /** Is this the user's code? Compare in constant time. Required when user codes are supported. */
  checkUserCode?(user: User, userCode: string): Awaitable<boolean>
}

/** Who is signed in on the authentication device. */
export interface SessionUser {
  readonly sub: string
  /** Epoch seconds of the login. */
  readonly authTime?: number
  /** Authentication context class reached. */
  readonly acr?: string
  /** Authentication methods used (RFC 8176). */
  readonly amr?: readonly string[]
}

/** What the login has to reach before the user may decide. */
export interface LoginNeed {
  /** Wanted classes, in order of preference. */
  readonly acrValues?: readonly string[]
  /** One of `acrValues` (any class, where there are none) has to be reached, or the user cannot decide. */
  readonly essential?: true
  /** Seconds since the login, at most. */
  readonly maxAgeSeconds?: number
  /** The login has to be newer than the request. */
  readonly fresh?: true
  /** Language the page is in. */
  readonly locale?: string
}

/** The host's login. */
export interface Session {
  /** Who is signed in on this request, if anybody. */
  current(req: Request): Awaitable<SessionUser | undefined | null>
  /** Where to sign in. `returnTo` is an absolute path on the issuer's origin to come back to afterwards. */
  loginUrl(returnTo: string, need: LoginNeed): string
  /** Checks the user's access token at `POST /auth/backchannel/complete`. Without it that endpoint is not served. */
  verifyToken?(token: string): Awaitable<SessionUser | undefined | null>
}

/** A message that is ready to be delivered. A channel decides nothing: it carries this. */
export interface Notice {
  /** Where to: what the channel's own `address` returned. */
  readonly to: string
  /** One-time approval URL. */
  readonly link: string
  /** The sentence before the link: the client's `custom_message`, or the default in the user's language. Plain text. */
  readonly message: string
  /** Display name of the client. */
  readonly clientName: string
  readonly bindingMessage?: string
  /** BCP 47 tag. */
  readonly locale: string
  /** Seconds until the link is worthless. */
  readonly expiresInSeconds: number
  /** Host name the link leads to, for "we only ever send links to …". */
  readonly domain: string
  /** Every member of `request_context` that we do not know, for the host's own channels. */
  readonly context: Readonly<Record<string, unknown>>
  /** Short public id of the request, for correlation in logs and status callbacks. Not a secret, not a handle. */
  readonly reference: string
  /** Where the carrier may report what became of this notice. Only where the channel has `readStatus`. */
  readonly statusUrl?: string
}

/** A carrier's report about a notice, freed from Express. */
export interface StatusCall {
  /** The `statusUrl` of the notice, from configuration. */
  readonly url: string
  /** Value of a header, by its name in lower case. */
  header(name: string): string | undefined
  readonly form: Form
}

/** What became of a notice after it was handed over. */
export interface NoticeStatus {
  readonly messageId?: string
  /** Set when it will not arrive. */
  readonly failure?: ChannelFailure
}

/** What a channel reports about a notice it has handed over. */
export interface Sent {
  /** The carrier's name for the message: a `Message-ID`, a Twilio SID. */
  readonly messageId?: string
}

/** A way to the user. */
export interface Channel {
  /** `sms`, `email`, `link`, … as in `request_context.channel`. */
  readonly name: string
  /** Where this user is reached, from the user's own record. `undefined`: not by this channel. */
  address(user: User): string | undefined
  /** Hands the notice over. Rejects with a `ChannelError` when it cannot be delivered. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a channel without a message id returns nothing
  send(notice: Notice): Awaitable<Sent | void>
  /** The client gets the link in its answer; nothing is sent to the user. */
  readonly returnsLink?: true
  /** Stands in for a channel that is asked for by name but not configured (the console during development). */
  readonly standsIn?: true
  /** Checks configuration and connection; used by `doctor`. */
  verify?(): Awaitable<void>
  /** Checks and reads a carrier's report. `undefined`: it does not come from the carrier. */
  readStatus?(call: StatusCall): NoticeStatus | undefined
}

/** What a store answers to a poll. */
export interface Polled {
  readonly record: RequestRecord
  /** The poll came before its time; the record already holds the longer interval. */
  readonly early: boolean
}

/** Who wants to hear of answers. None of its functions throws. */
export interface Listener {
  /** This request was answered, or ended, here or in another process. Some may be missed, and some come twice. */
  heard(request: string): void
  /** From now on answers are heard. */
  up(): void
  /** Until further notice nothing is heard. */
  down(): void
}

/** Connects the processes on one store. */
export interface Line {
  /** Lets all who listen know that this request was answered. */
  tell(request: string): Promise<void>
  close(): Promise<void>
}

/** Who polls: a record is only answered to the client it belongs to and the very `auth_req_id` it was issued with. */
export interface Poller {
  readonly clientId: string
  readonly authReqIdHash: string
}

/**
 * Where requests live. Each verb is one atomic step and one round trip. A verb that cannot reach the backend rejects;
 * it never answers as if nothing were there. Run `storeContract` of `express-ciba/testing` against your own.
 */
export interface BackchannelStore {
  /**
   * Writes a new record, and counts it among the open requests of its `sub` until it is answered or expires.
   * @returns `too_many_open`, with nothing written, when the user already has `openLimit` open requests.
   */
  add(record: RequestRecord, openLimit?: number): Promise<'added' | 'too_many_open'>
  /** The record, until `keptUntil`. */
  find(id: string): Promise<RequestRecord | undefined>
  /**
   * Reads, stamps and paces in one step. A pending, unexpired record gets `lastPollAt` and, when the poll is early,
   * a longer interval (`paceOf` in `record.ts` is the rule). Every other record is returned untouched.
   * `holdMs`: the poll may be held open for so long, and every other one until then is early. Defaults to 0.
   * @returns `undefined` when there is no such record, or it belongs to another client or `auth_req_id`.
   */
  poll(id: string, poller: Poller, now: number, holdMs?: number): Promise<Polled | undefined>
  /**
   * For long polling: a poll that was to be held ended before its time, and its interval counts from `polledAt`, when it
   * came. Absent: a client whose connection broke gets `slow_down` for as long as its poll could have lasted.
   */
  release?(id: string, polledAt: number): Promise<void>
  /**
   * For long polling: connects the processes on this store, so that each hears what another has answered. Begins in the
   * background and reconnects by itself. Absent: a held poll hears of what happens in its own process.
   */
  listen?(listener: Listener): Line
  /**
   * The only way a status changes. One winner: of any number of moves from the same status, one is carried out.
   * @returns the record after the move; when the move was refused, the record as it stands; `undefined` when unknown.
   */
  move(id: string, move: Move): Promise<{ readonly moved: boolean; readonly record: RequestRecord } | undefined>
  /** Replay guard, one winner: `true` for the first caller with this key, `false` for all others until `until` (ms). */
  firstSeen(key: string, until: number): Promise<boolean>
  /** Was `firstSeen` called with this key, and is its `until` to come? Changes nothing. */
  seen(key: string): Promise<boolean>
  /** Writes a new refresh token family. */
  addGrant(grant: GrantRecord): Promise<void>
  /** The family, until it expires or ends. */
  findGrant(id: string): Promise<GrantRecord | undefined>
  /**
   * Replaces the current refresh token. One winner.
   * `rotated`: `from` was current. `repeated`: `from` is the previous one, within its grace; the newer token is replaced.
   * `reused`: `from` is neither; the family has been ended. `undefined`: no such family.
   */
  rotate(id: string, rotation: Rotation): Promise<'rotated' | 'repeated' | 'reused' | undefined>
  /** Ends a family. */
  endGrant(id: string): Promise<void>
  /** Releases timers and subscriptions of the adapter itself. Connections passed in by the host stay open. */
  close?(): Promise<void>
}

/** Registered client authentication methods (OpenID Connect Core 9, RFC 8705 2). */
export type ClientAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'

/**
 * A registered client. Member names are those of dynamic client registration (RFC 7591, CIBA Core 4, OpenID Connect
 * Registration). Unknown members are ignored and may carry whatever the host likes.
 */
export interface ClientMetadata {
  readonly client_id: string
  readonly client_secret?: string | undefined
  /** Epoch seconds after which the secret is worth nothing. 0, the default: it does not expire. */
  readonly client_secret_expires_at?: number | undefined
  /** Name shown to the user. Defaults to `client_id`. */
  readonly client_name?: string | undefined
  readonly logo_uri?: string | undefined
  /** Defaults to `client_secret_basic`. */
  readonly token_endpoint_auth_method?: ClientAuthMethod | undefined
  readonly token_endpoint_auth_signing_alg?: string | undefined
  /** Must contain `urn:openid:params:grant-type:ciba` for poll and ping. */
  readonly grant_types?: readonly string[] | undefined
  /** Space-separated scope values this client may ask for. Defaults to every scope the server supports. */
  readonly scope?: string | undefined
  readonly backchannel_token_delivery_mode?: 'poll' | 'ping' | 'push' | undefined
  readonly backchannel_client_notification_endpoint?: string | undefined
  readonly backchannel_authentication_request_signing_alg?: string | undefined
  readonly backchannel_user_code_parameter?: boolean | undefined
  readonly jwks?: JwkSet | undefined
  readonly jwks_uri?: string | undefined
  readonly subject_type?: 'public' | 'pairwise' | undefined
  readonly sector_identifier_uri?: string | undefined
  readonly id_token_signed_response_alg?: string | undefined
  readonly id_token_encrypted_response_alg?: string | undefined
  readonly id_token_encrypted_response_enc?: string | undefined
  readonly tls_client_auth_subject_dn?: string | undefined
  readonly tls_client_auth_san_dns?: string | undefined
  readonly tls_client_auth_san_uri?: string | undefined
  readonly tls_client_auth_san_ip?: string | undefined
  readonly tls_client_auth_san_email?: string | undefined
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined
  readonly dpop_bound_access_tokens?: boolean | undefined
  readonly authorization_details_types?: readonly string[] | undefined
  readonly default_acr_values?: readonly string[] | undefined
  readonly default_max_age?: number | undefined
  readonly require_auth_time?: boolean | undefined
  /** Not standard: where the notice's link leads for hosts with their own landing page (Transmit's `login_uri`). */
  readonly login_uri?: string | undefined
  readonly [member: string]: unknown
}

/** A client certificate whose private key the TLS layer has proven. */
export interface ShownCertificate {
  readonly x509: X509Certificate
  /** Its chain ends at an authority that the server trusts (needed for `tls_client_auth`). */
  readonly chained: boolean
}

/**
 * Reads the client certificate of a request. The default reads the TLS socket; no header is trusted by itself.
 * A host that hands a certificate over vouches for its chain.
 */
export type GetCertificate = (req: Request) => X509Certificate | undefined

/** What a delivery job has to know. The rest is read from the store when the job runs. */
export interface DeliveryJob {
  /** Public id of the request. */
  readonly request: string
  readonly clientId: string
  /** Epoch milliseconds: the request's own end, after which nothing is sent any more. */
  readonly expiresAt: number
}

/** What became of one run of a job. */
export type DeliveryResult =
  /** Delivered, or there is nothing to deliver: the job ends. */
  | { readonly next: 'end' }
  /** The user has not answered: run again when woken, and at `expiresAt`. Does not count as a try. */
  | { readonly next: 'sleep' }
  /** A failure worth another try, not before `afterMs` milliseconds. */
  | { readonly next: 'retry'; readonly afterMs?: number }
  /** Given up: the queue keeps the job for `failed` and `replay`. */
  | { readonly next: 'park'; readonly reason: string }

/** One run of a job; `attempt` counts the tries from 1. Never rejects. */
export type DeliveryRun = (job: DeliveryJob, attempt: number) => Promise<DeliveryResult>

/** A delivery that was given up. */
export interface FailedDelivery extends DeliveryJob {
  /** Epoch milliseconds. */
  readonly failedAt: number
  /** How often it was tried. */
  readonly attempts: number
  /** Such as `status_401`, `forbidden`, `expired`. */
  readonly reason: string
}

/**
 * Carries pings and pushes. One job exists per issued ping or push request, from the moment it is issued:
 * `wake` runs it when the user has answered, and it runs by itself at `expiresAt`. A job never runs twice at a time.
 */
export interface DeliveryQueue {
  /**
   * Called once by the engine; jobs left by an earlier process start to run.
   * `onError` is told when the queue's own backend fails.
   */
  start(run: DeliveryRun, onError: (cause: unknown) => void): void
  /** Adds the job of an issued request, asleep until woken or expired. Rejects when it cannot be kept. */
  add(job: DeliveryJob): Promise<void>
  /** Runs the job now, also when `add` was called in another process; retries follow by the queue's own schedule. */
  wake(job: DeliveryJob): Promise<void>
  /** What was given up, the newest first; at most the last thousand. */
  failed(): Promise<readonly FailedDelivery[]>
  /** Tries a failed delivery again. `false` when there is none, or the request is over. */
  replay(request: string): Promise<boolean>
  /** Stops taking jobs; resolves when those under way are finished or handed back. */
  close(): Promise<void>
}

/** A form, read once. Repeated parameters never get this far. */
export interface Form {
  /** Parameters with a value. */
  readonly values: ReadonlyMap<string, string>
  /** Names that were sent without a value; they count as absent (RFC 6749 3.2) wherever nothing else is said. */
  readonly empty: ReadonlySet<string>
  /** `resource`, the one parameter that may be repeated (RFC 8707 2). */
  readonly resources: readonly string[]
}

/** One call of a client at the backchannel, token, revocation or introspection endpoint, freed from Express. */
export interface Call {
  readonly form: Form
  /** Value of the `Authorization` header. */
  readonly authorization?: string | undefined
  /** Values of the `DPoP` header, usually none or one. */
  readonly dpop: readonly string[]
  /** Where the call comes from, as Express tells by its `trust proxy`; `undefined` when it cannot tell. Read only when somebody asks. */
  address?(): string | undefined
  /** Absolute URL of the endpoint as configured, never from the `Host` header. */
  readonly url: string
  /** Its alias for mutual TLS (RFC 8705 5), if it has one. */
  readonly mtlsUrl?: string | undefined
  /** Certificate the client showed in the TLS handshake. Read only when somebody asks. */
  certificate(): ShownCertificate | undefined
  /**
   * Calls `listener` when the caller goes away before it was answered; returns what stops that. Absent: nobody can tell,
   * and the call is not kept waiting (option `longPoll`).
   */
  whenGone?(listener: () => void): () => void
  /** What the trusted backend that hands the call over wants of it. */
  readonly wants?: CallWants | undefined
}

/** What a trusted backend wants of one token call (Authlete's `/auth/token`). */
export interface CallWants {
  /** `htm` of the DPoP proof. Defaults to `POST`. */
  readonly method?: string
  /** `htu` of the DPoP proof. Defaults to the URL of the endpoint. */
  readonly url?: string
  /** Demand a nonce of ours in the proof, also where the server does not. */
  readonly nonceRequired?: boolean
  /** Added to what the completion asked of the tokens; where both say something, this call wins. */
  readonly tokens?: TokenWishes
  /** The access token to hand out in place of a minted one. */
  readonly accessToken?: string
}

/** A client whose metadata was checked and given its defaults. */
export interface Client {
  readonly id: string
  /** What the user is told: `client_name`, else the id. */
  readonly name: string
  readonly authMethod: ClientAuthMethod
  /** How tokens are collected. Absent: the client may not use CIBA. */
  readonly deliveryMode?: DeliveryMode
  /** Scope values the client may ask for. Absent: all that the server supports. */
  readonly scope?: ReadonlySet<string>
  /** The registered metadata, as the host gave it. */
  readonly metadata: ClientMetadata
}

/** The answer to a token request, for a route of the host's own. */
export interface GrantAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** The user whose tokens they are; only with status 200. */
  readonly sub?: string
}

/** A token request, freed from its server. */
export interface GrantCall {
  /** The form. An array is a repeated parameter. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Value of the `Authorization` header. */
  readonly authorization?: string | undefined
  /** Values of the `DPoP` header. */
  readonly dpop?: readonly string[]
  /** Client certificate, its chain checked by the caller. */
  readonly certificate?: X509Certificate
  /** Aborted when the client goes away. Without it, a poll is never held open (option `longPoll`). */
  readonly signal?: AbortSignal
}
