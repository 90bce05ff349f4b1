import type { Channel, NoticeTexts } from './channel.ts'
import type {
  Awaitable,
  ClientAuthMethod,
  ClientMetadata,
  Clients,
  DeliveryMode,
  GetCertificate,
  JwkSet,
} from './clients.ts'
import type { DetailWords, LocationQuery, PageTexts, Theme, View } from './page.ts'
import type { DeliveryQueue, Undelivered } from './queue.ts'
import type { Answer } from './request.ts'
import type { Session } from './session.ts'
import type { BackchannelStore } from './store.ts'
import type { BackchannelEvent, Logger, Telemetry } from './telemetry.ts'
import type {
  DetailTypes,
  IssueRefreshToken,
  IssueTokens,
  MakeAccessToken,
  MayIntrospect,
  Resources,
  ScopeClaims,
  Seconds,
} from './tokens.ts'
import type { LoginHintTokenVerifier, Users } from './users.ts'

/**
 * What `createBackchannelRouter` and `createBackchannel` take. Required: `issuer`, `clients`, `users`.
 * @example
 * ```ts
 * const options: BackchannelOptions = { issuer: 'https://login.example.com', keys, clients, users, session, channels, store }
 * ```
 */
export interface BackchannelOptions {
  /** Issuer identifier: an https URL without query and fragment (http on loopback only). Part of every token. */
  readonly issuer: string
  /**
   * Sets everything that a profile demands: `fapi-ciba` (on FAPI 1 Advanced) or `fapi2-ciba` (on FAPI 2). Options that
   * contradict it stop the start. Defaults to `ciba`: CIBA Core alone.
   */
  readonly profile?: Profile
  /** Public URL of the place the router is mounted at. Defaults to `issuer`. */
  readonly baseUrl?: string
  /**
   * Public URL of the same mount point where client certificates are asked for: published as `mtls_endpoint_aliases`
   * (RFC 8705 5). Defaults to none, for hosts that ask for them at `baseUrl` or do without.
   */
  readonly mtlsBaseUrl?: string
  /** Paths of the routes below the mount point. Each has a default. */
  readonly paths?: Partial<Paths>
  /** The host's registered clients. */
  readonly clients: Clients
  /** The host's users. */
  readonly users: Users
  /** The host's login. Without it there is no approval page: answer requests through `backchannel.approve`. */
  readonly session?: Session
  /**
   * Ways to the user, in order of preference. Defaults to a console channel that prints the link, and the link channel;
   * to none without `session`.
   */
  readonly channels?: readonly Channel[]
  /** Where requests live. Defaults to the memory of this process, and says so once. */
  readonly store?: BackchannelStore
  /**
   * Private signing keys, the preferred one of each algorithm first; public ones are only published, for retired keys.
   * Defaults to an ES256 key made at start, and says so once: tokens do not survive a restart.
   */
  readonly keys?: JwkSet
  /**
   * Secret behind sealed values and page tokens, ≥ 32 bytes or characters. Every process on one store needs the same.
   * Defaults to one derived from the private `keys`: set it before you rotate them.
   */
  readonly secret?: string | Uint8Array
  /**
   * Seconds that a call of what is plugged in (a hook, the store, a counter, the queue, a channel) may take; then it
   * counts as an outage, and the caller gets 503. Defaults to 5.
   */
  readonly timeoutSeconds?: number
  /** Called with everything that happens. What it throws is logged and has no other effect. Defaults to none. */
  readonly onEvent?: (event: BackchannelEvent) => void
  /**
   * Called after each answer, once it is stored: the user's own, and `failed` where a request was cancelled or no channel
   * reaches the user. For hosts that wait for one. Defaults to none.
   */
  readonly onAnswer?: (answered: { readonly request: string; readonly answer: Answer }) => void
  /** A logger such as pino. Defaults to `console` for the start-up notices alone. */
  readonly logger?: Logger
  /** Spans and metrics: `openTelemetry(api)`. Defaults to none, which costs nothing. */
  readonly telemetry?: Telemetry
  /** Epoch milliseconds. Defaults to `Date.now`; tests hold it still. */
  readonly clock?: () => number
  /** What clients may ask for. */
  readonly requests?: RequestOptions
  /** How clients that poll are paced, and whether their polls are held open. */
  readonly polling?: PollingOptions
  /** How clients authenticate, and what their proofs have to look like. */
  readonly clientAuth?: ClientAuthOptions
  /** Which channels a client may use, and what happens when one fails. */
  readonly notices?: NoticeOptions
  /** Look and language of the approval page. */
  readonly page?: PageOptions
  /** What a decision needs, and what it may grant. */
  readonly approval?: ApprovalOptions
  /** The tokens that are made here, or by the host. */
  readonly tokens?: TokenOptions
  /** Pings, pushes, and every other call to a URL that a client registered. */
  readonly delivery?: DeliveryOptions
  /**
   * How often users may be asked, and clients may ask. `false` switches every budget off; what a user said with "I did not
   * start this" holds all the same.
   */
  readonly limits?: LimitOptions | false
  /** Getting along with other servers and with clients of other products. */
  readonly interop?: InteropOptions
}

/** The sets of rules to choose from: CIBA Core, FAPI-CIBA on FAPI 1 Advanced, FAPI-CIBA on FAPI 2. */
export type Profile = 'ciba' | 'fapi-ciba' | 'fapi2-ciba'

/** Where each route lives, relative to the place the router is mounted at. Every one can be changed. */
export interface Paths {
  /** Backchannel authentication endpoint (CIBA Core 7). Defaults to `/oidc/backchannel`. */
  readonly backchannel: string
  /** Token endpoint. Defaults to `/oidc/token`. */
  readonly token: string
  /** Revocation endpoint (RFC 7009). Defaults to `/oidc/revoke`. */
  readonly revoke: string
  /** Introspection endpoint (RFC 7662). Defaults to `/oidc/introspect`. */
  readonly introspect: string
  /** Our public keys. Defaults to `/oidc/jwks`. */
  readonly jwks: string
  /** Discovery document. Defaults to `/.well-known/openid-configuration`. */
  readonly discovery: string
  /** The page behind the link. Defaults to `/auth/backchannel/approve`. */
  readonly approve: string
  /** Completion by the host's own screen or app. Defaults to `/auth/backchannel/complete`. */
  readonly complete: string
  /** Where carriers report what became of notices. Defaults to `/auth/backchannel/notices`. */
  readonly notices: string
}

/** A policy for `binding_message`, or a function that says what is wrong with one (`undefined`: nothing). */
export type BindingMessagePolicy =
  | 'printable'
  | 'transmit'
  | 'ascii'
  | ((query: { readonly message: string }) => string | undefined)

/** What clients may ask for (CIBA Core 7.1). */
export interface RequestOptions {
  /** Scope values that may be asked for. Defaults to `openid profile email address phone offline_access`. */
  readonly scopes?: readonly string[]
  /** `acr` values the host's login can reach. Defaults to none: `acr_values` of requests are dropped. */
  readonly acrValues?: readonly string[]
  /** Seconds a request lives when the client asks for nothing else. Defaults to 600. */
  readonly expirySeconds?: number
  /** Longest life a client may ask for, in seconds; more is cut down to it. Defaults to `expirySeconds`. */
  readonly maxExpirySeconds?: number
  /** Seconds a request is remembered after its end, so that `expired_token` can be said. Defaults to 120; at least 60. */
  readonly graceSeconds?: number
  /** How a `binding_message` has to look. Defaults to `printable`: 1–100 printable characters of any script. */
  readonly bindingMessage?: BindingMessagePolicy
  /** Must every request carry a `binding_message`? Defaults to `false`. */
  readonly requireBindingMessage?: boolean
  /** Must every request be signed (CIBA Core 7.1.1)? Defaults to what the profile says: `false` under `ciba`. */
  readonly requireSigned?: boolean
  /** Take `user_code`s, from clients registered for them? Needs `users.checkUserCode`. Defaults to `false`. */
  readonly userCodes?: boolean
  /** Verifies `login_hint_token`s: yours, or `loginHintTokens(…)`. Defaults to none: they are refused. */
  readonly loginHintToken?: LoginHintTokenVerifier
  /** Seconds after its issue for which an ID token does as `id_token_hint`. Defaults to 2592000, 30 days. */
  readonly idTokenHintSeconds?: number
  /** Answer for unknown users as for known ones: accepted, nothing sent, expires. Defaults to `false`. */
  readonly hideUnknownUsers?: boolean
  /**
   * Types of `authorization_details` (RFC 9396): a strict zod schema each, or `{ schema, isWithin }`. Defaults to none:
   * all are refused.
   */
  readonly authorizationDetails?: DetailTypes
  /**
   * The APIs that clients may name as `resource` (RFC 8707), by URI, or a function that knows them. Defaults to none:
   * every `resource` is refused, and access tokens are for `tokens.audience`.
   */
  readonly resources?: Resources
}

/** How clients that poll are paced (CIBA Core 7.3 and 11), and long polling (10.1). */
export interface PollingOptions {
  /** Seconds between polls. Defaults to 5. */
  readonly intervalSeconds?: number
  /**
   * Holds polls open until the user has answered, for so many seconds at most: 1 to 30. Clients and proxies in between
   * have to wait longer than that. Defaults to none: polls are answered at once.
   */
  readonly holdSeconds?: number
  /** Polls held at a time, in this process. Those above are answered at once. Defaults to 20000. */
  readonly heldPolls?: number
  /** Polls of one client held at a time, in this process. Defaults to 5000. */
  readonly heldPollsPerClient?: number
}

/** How clients authenticate (OpenID Connect Core 9, RFC 7523, RFC 8705, RFC 9449). */
export interface ClientAuthOptions {
  /** Client authentication methods offered at every endpoint. Defaults to all six, or those of the profile. */
  readonly methods?: readonly ClientAuthMethod[]
  /**
   * What a client assertion may name as its audience: the issuer alone (RFC 10070, FAPI 2), or the token and backchannel
   * endpoints too (CIBA Core). Defaults to `any-endpoint`; to `issuer` under `fapi2-ciba`.
   */
  readonly assertionAudience?: 'issuer' | 'any-endpoint'
  /** Longest life of a client assertion, in seconds from now to its `exp`. Defaults to 300; 10 to 3600. */
  readonly assertionMaxSeconds?: number
  /** Reads the client's certificate. Defaults to the TLS socket; trust a proxy's header only here, and knowingly. */
  readonly getCertificate?: GetCertificate
  /** Demand a nonce of ours in DPoP proofs (RFC 9449 8). Defaults to `false`. */
  readonly dpopNonce?: boolean
}

/** When does the next channel take over from one that cannot reach the user, or fails? */
export type Fallback = 'unnamed' | 'always' | 'never'

/** How notices find their way. */
export interface NoticeOptions {
  /** Names of the channels a client may use, in its order of preference. Defaults to all, in the order of `channels`. */
  readonly channelsFor?: (query: { readonly client: ClientMetadata }) => readonly string[] | undefined
  /**
   * When the next channel takes over from one that cannot reach the user, or fails: where the client named none
   * (`unnamed`), `always`, or `never`. Defaults to `unnamed`.
   */
  readonly fallback?: Fallback
  /** Seconds before each further round over the channels when they failed for now. Defaults to `[2, 10, 30]`. */
  readonly retrySeconds?: readonly number[]
  /** Least seconds between two `backchannel.resend` of a request. Defaults to 30. */
  readonly resendSeconds?: number
  /** Sentences to replace, by language: the `message` before the link where the client sends none. Defaults to ours. */
  readonly texts?: NoticeTexts
}

/** How the approval page looks and what it says. Everything has a default. */
export interface PageOptions {
  /**
   * Sentences by language, to replace some or to add a language: `{ en: { approve: 'Yes, it is me' } }`.
   * Scopes of your own go into `scopes`. Built in: en, fr, de, es, pt, ja.
   */
  readonly texts?: PageTexts
  /** Colours, font and radius as CSS values. Defaults to a quiet blue, light and dark. */
  readonly theme?: Theme
  /**
   * Writes the whole document in place of the built-in one. Escape what you put into it. The policy then allows style
   * sheets, fonts and images of your own origin; scripts stay forbidden. Defaults to the built-in document.
   */
  readonly template?: (view: View) => string
  /** Show a client's `logo_uri` (https only)? Its server then learns when a user is asked. Defaults to `false`. */
  readonly logos?: boolean
  /** IANA name of the time zone that times are told in, such as `Europe/Berlin`. Defaults to `UTC`. */
  readonly timeZone?: string
  /** Puts authorization details into words, by type. Types without an entry show every member as it is. */
  readonly details?: Readonly<Record<string, DetailWords>>
  /** Says in words where a request comes from. Defaults to saying nothing. The page is shown without it when it fails. */
  readonly place?: (query: LocationQuery) => Awaitable<string | undefined>
}

/** What a decision needs, and what it may grant. */
export interface ApprovalOptions {
  /**
   * The user picks the binding message out of three instead of only seeing it; a wrong pick denies. Applies to messages
   * with digits in them. Defaults to `false`.
   */
  readonly choices?: boolean
  /** The login that decides has to be newer than the request, at every door. Defaults to `false`. */
  readonly freshLogin?: boolean
  /** May a decision grant scope values that the client did not ask for? Defaults to `false`: less, never more. */
  readonly widerScopes?: boolean
  /**
   * What the `auth_req_id` in a link to a client's own `login_uri` is: the handle of the link (`link`), which is good for
   * completing and nothing else, or the real one, which then travels by SMS and e-mail. Defaults to `link`.
   */
  readonly landingHandle?: 'link' | 'auth_req_id'
}

/** The tokens that are made here, or by the host. */
export interface TokenOptions {
  /** How long tokens live. */
  readonly lifetimes?: TokenLifetimes
  /** `aud` of access tokens when the client names no `resource`. Defaults to the issuer. */
  readonly audience?: string
  /**
   * The host's own issuer, in place of ours: gets the grant, returns the members of the token response. Where it returns no
   * `id_token` we make one. Refreshing, revoking and introspecting these tokens is the host's. Defaults to ours.
   */
  readonly issue?: IssueTokens
  /** An access token of the host's own, opaque for example, in place of a JWT. `undefined`: a JWT after all. */
  readonly accessToken?: MakeAccessToken
  /** Who gets a refresh token? Defaults to grants of `offline_access`; never for clients whose `grant_types` lack it. */
  readonly issueRefreshToken?: IssueRefreshToken
  /** Claims that scope values of your own ask for, by scope value. Defaults to none; the standard four are known. */
  readonly scopeClaims?: ScopeClaims
  /** Which tokens may a client introspect (RFC 7662)? Defaults to its own, and those that have it as `aud`. */
  readonly mayIntrospect?: MayIntrospect
}

/** Seconds may be a function of the client's metadata; where it returns `undefined` the default holds. */
export interface TokenLifetimes {
  /** Defaults to 3600. An approval may say otherwise for its request, as for the other two. */
  readonly idTokenSeconds?: Seconds
  /** Defaults to 3600. */
  readonly accessTokenSeconds?: Seconds
  /** From one use of a refresh token to the next. Defaults to 2592000, 30 days. */
  readonly refreshTokenSeconds?: Seconds
  /** The most that refresh tokens of one approval live, however often they are used. Defaults to 31536000, a year. */
  readonly refreshFamilySeconds?: number
  /** Seconds for which a refresh token that was replaced is taken once more, for a lost answer. Defaults to 30; 300 at most. */
  readonly refreshGraceSeconds?: number
}

/** Pings, pushes, and every other call to a URL that a client registered. */
export interface DeliveryOptions {
  /** Delivery modes offered. Defaults to `['poll', 'ping']`; add `push` to send tokens to clients. */
  readonly modes?: readonly DeliveryMode[]
  /** Carries pings and pushes. Defaults to `inProcessQueue()`; use `bullmqQueue` for several machines. */
  readonly queue?: DeliveryQueue
  /** Calls to notification endpoints and to `jwks_uri`. Defaults to public https addresses alone. */
  readonly outbound?: OutboundOptions
  /**
   * Called when a ping or push was given up: refused by the client, or not accepted before the request expired.
   * Defaults to none; `backchannel.deliveries` has them all the same.
   */
  readonly onUndelivered?: (undelivered: Undelivered) => Awaitable<void>
}

/** An address that a name resolves to. */
export interface Address {
  readonly address: string
  /** 4 or 6. */
  readonly family: number
}

/** How calls to URLs that clients registered are made. */
export interface OutboundOptions {
  /**
   * Hosts that may be anywhere, private networks included: `host` for its port 443, `host:port` for another one.
   * Defaults to none.
   */
  readonly allow?: readonly string[] | undefined
  /** Certificate authorities (PEM) trusted besides the usual ones. Defaults to none. */
  readonly ca?: string | readonly string[] | undefined
  /** Shown to receivers that ask for a certificate. PEM. Defaults to none. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined
  /** Resolves a name to all of its addresses. Defaults to the system's resolver. */
  readonly lookup?: ((hostname: string) => Promise<readonly Address[]>) | undefined
  /** Seconds for name, connection and TLS handshake together. Defaults to 3. */
  readonly connectSeconds?: number | undefined
  /** Seconds for the whole exchange. Defaults to 10. */
  readonly totalSeconds?: number | undefined
}

/** How often users may be asked. Each number can be 0, which is no limit; `notMeBlockSeconds` alone cannot. */
export interface LimitOptions {
  /** Prompts to one user in an hour, of all clients together. Defaults to 30. */
  readonly promptsPerUser?: number
  /** Prompts of one client to one user in an hour. Defaults to 20. */
  readonly promptsPerClientAndUser?: number
  /** Notices to one address or number in an hour. Defaults to 20. */
  readonly noticesPerDestination?: number
  /** Notices to one address or number in a day. Defaults to 60. */
  readonly noticesPerDestinationAndDay?: number
  /** Requests of one client in a minute. Defaults to 1200. */
  readonly requestsPerClient?: number
  /** Hints of one client in an hour that name no user. Defaults to 100. */
  readonly failedHintsPerClient?: number
  /** Failed authentications of one client from one address in ten minutes. Defaults to 30. */
  readonly failedAuthentications?: number
  /**
   * Seconds for which a client may not ask a user again who denied its request. Doubles with each further denial, up to
   * an hour; starts anew after an approval, or a day. Defaults to 30.
   */
  readonly denialSeconds?: number
  /** The most open requests one user may have at a time. Defaults to 5. */
  readonly openRequestsPerUser?: number
  /**
   * Seconds for which a client may not ask a user who said "I did not start this". Defaults to 604800, a week; 24
   * days at most. `backchannel.unblock` ends it earlier.
   */
  readonly notMeBlockSeconds?: number
  /**
   * Makes the counters behind limits and blocks. Defaults to the memory of this process; where there are several, pass
   * `(options) => new RateLimiterRedis({ storeClient, ...options })` of rate-limiter-flexible (with
   * `useRedisPackage: true` for the client of the package `redis`), or another of its kind.
   */
  readonly counter?: CounterFactory
}

/** The part of a rate-limiter-flexible limiter that is used. */
export interface Counter {
  get(key: string): Promise<Count | null>
  /** Rejects with a count when there are no points left, with an `Error` when it cannot count. */
  consume(key: string, points?: number): Promise<Count>
  block(key: string, seconds: number): Promise<unknown>
  delete(key: string): Promise<boolean>
}

/** What a counter tells of a key. */
export interface Count {
  readonly consumedPoints: number
  readonly remainingPoints: number
  readonly msBeforeNext: number
}

/** Makes a counter: `(options) => new RateLimiterRedis({ storeClient: redis, ...options })`. */
export type CounterFactory = (options: {
  readonly keyPrefix: string
  readonly points: number
  /** Seconds. */
  readonly duration: number
}) => Counter

/** Getting along with other servers and with clients of other products. */
export interface InteropOptions {
  /**
   * Shape of errors at the backchannel and the token endpoint: `oauth`, or Transmit's `{ message, error_code }` for all
   * but the answers to polls. Defaults to `oauth`.
   */
  readonly errorFormat?: 'oauth' | 'transmit'
  /**
   * What to do with a `grant_type` that is not ours, and with tokens to refresh, revoke or introspect that we did not make.
   * Defaults to `next`: the host's next handler gets the call untouched.
   */
  readonly otherGrants?: 'next' | 'refuse'
}
