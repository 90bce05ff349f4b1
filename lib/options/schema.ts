import { z } from 'zod'
import type {
  Awaitable,
  BackchannelStore,
  Channel,
  ClientAuthMethod,
  ClientMetadata,
  DeliveryQueue,
  GetCertificate,
  JwkSet,
  Session,
  Telemetry,
  Users,
} from '../contracts/contracts.ts'
import type { BackchannelEvent, Logger } from '../core/events.ts'
import type { NoticeTexts } from '../core/noticeTexts.ts'
import type { OutboundOptions } from '../core/outbound/outbound.ts'
import { type Answer, type DeliveryMode, longestHoldSeconds } from '../core/request.ts'
import type { PageOptions } from '../protocol/approval/options.ts'
import type { Theme } from '../protocol/approval/view/style.ts'
import type { DetailTypes } from '../protocol/authorization/authorizationDetails.ts'
import type { Resources } from '../protocol/authorization/resources.ts'
import type { ScopeClaims } from '../protocol/authorization/userClaims.ts'
import { type LimiterFactory, longestSeconds, memoryLimiter } from '../protocol/limits/limiter.ts'
import { defaultLimits, type Limits } from '../protocol/limits/prompts.ts'
import type { Fallback } from '../protocol/notice/route.ts'
import type { Undelivered } from '../protocol/notification/notify.ts'
import type { LoginHintTokenVerifier } from '../protocol/request/loginHintToken.ts'
import type { MayIntrospect } from '../protocol/token/introspection.ts'
import type { IssueTokens } from '../protocol/token/issue.ts'
import type { Seconds } from '../protocol/token/lifetimes.ts'
import type { LongPollOptions } from '../protocol/token/longPoll.ts'
import type { MakeAccessToken } from '../protocol/token/mint.ts'
import type { IssueRefreshToken } from '../protocol/token/refreshToken.ts'
import { defaultPaths, type Paths } from './paths.ts'
import { clientAuthMethods, type Profile, profiles, refuseContradictions } from './profiles.ts'

/** A policy for `binding_message`, or a function that says what is wrong with one (`undefined`: nothing). */
export type BindingMessagePolicy = 'printable' | 'transmit' | 'ascii' | ((message: string) => string | undefined)

/** What `createBackchannelRouter` and `createBackchannel` take. Required: `issuer`, `clients`, `users`. */
export interface BackchannelOptions {
  /** Issuer identifier: an https URL without query and fragment (http on loopback only). Part of every token. */
  readonly issuer: string
  /**
   * Sets everything that a profile demands: `fapi-ciba` (on FAPI 1 Advanced) or `fapi2-ciba` (on FAPI 2). Options that
   * contradict it stop the start. Defaults to `ciba`: CIBA Core alone.
   */
  readonly profile?: Profile
  /** Finds a client's registered metadata. `undefined` (or `null`): no such client. Throwing answers 503. */
  readonly clients: (clientId: string) => Awaitable<ClientMetadata | undefined | null>
  /** The host's users. */
  readonly users: Users
  /** The host's login. Without it there is no approval page: answer requests through `backchannel.complete`. */
  readonly session?: Session
  /**
   * Ways to the user, in order of preference. Defaults to a console channel that prints the link, and the link channel;
   * to none without `session`.
   */
  readonly channels?: readonly Channel[]
  /** Which channels a client may use, and what happens when one fails. */
  readonly notices?: NoticeOptions
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
  /** Public URL of the place the router is mounted at. Defaults to `issuer`. */
  readonly baseUrl?: string
  /**
   * Public URL of the same mount point where client certificates are asked for: published as `mtls_endpoint_aliases`
   * (RFC 8705 5). Defaults to none, for hosts that ask for them at `baseUrl` or do without.
   */
  readonly mtlsBaseUrl?: string
  /** Paths of the routes below the mount point. Each defaults to the one in the README's table. */
  readonly paths?: Partial<Paths>
  /** Scope values that may be asked for. Defaults to `openid profile email address phone offline_access`. */
  readonly scopes?: readonly string[]
  /** Claims that scope values of your own ask for, by scope value. The standard four are known. */
  readonly scopeClaims?: ScopeClaims
  /** `acr` values the host's login can reach. Defaults to none: `acr_values` of requests are dropped. */
  readonly acrValues?: readonly string[]
  /** Client authentication methods offered at both endpoints. Defaults to all six. */
  readonly clientAuthMethods?: readonly ClientAuthMethod[]
  /**
   * What a client assertion may name as its audience: the issuer alone (RFC 10070, FAPI 2), or the token and backchannel
   * endpoints too (CIBA Core). Defaults to `any-endpoint`.
   */
  readonly assertionAudience?: 'issuer' | 'any-endpoint'
  /** Longest life of a client assertion, in seconds from now to its `exp`. Defaults to 300; 3600 at most. */
  readonly assertionMaxSeconds?: number
  /** Seconds a request lives when the client asks for nothing else. Defaults to 600. */
  readonly expirySeconds?: number
  /** Longest life a client may ask for, in seconds; more is cut down to it. Defaults to `expirySeconds`. */
  readonly maxExpirySeconds?: number
  /** Seconds between polls. Defaults to 5. */
  readonly intervalSeconds?: number
  /** Seconds a request is remembered after its end, so that `expired_token` can be said. Defaults to 120. */
  readonly graceSeconds?: number
  /** How a `binding_message` has to look. Defaults to `printable`: 1–100 printable characters of any script. */
  readonly bindingMessage?: BindingMessagePolicy
  /** Must every request carry a `binding_message`? Defaults to `false`. */
  readonly requireBindingMessage?: boolean
  /** Must every request be signed (CIBA Core 7.1.1)? Defaults to `false`. */
  readonly requireSignedRequests?: boolean
  /** Answer for unknown users as for known ones: accepted, nothing sent, expires. Defaults to `false`. */
  readonly hideUnknownUsers?: boolean
  /** Take `user_code`s, from clients registered for them? Needs `users.checkUserCode`. Defaults to `false`. */
  readonly userCodes?: boolean
  /** Verifies `login_hint_token`s: yours, or `loginHintTokens(…)`. Defaults to none: they are refused. */
  readonly loginHintToken?: LoginHintTokenVerifier
  /** Days after its issue for which an ID token does as `id_token_hint`. Defaults to 30. */
  readonly idTokenHintDays?: number
  /** Delivery modes offered. Defaults to `['poll', 'ping']`; add `push` to send tokens to clients. */
  readonly deliveryModes?: readonly DeliveryMode[]
  /**
   * Hold polls open until the user has answered (CIBA Core 10.1), for up to `holdSeconds`. Defaults to none: polls are
   * answered at once.
   */
  readonly longPoll?: LongPollOptions
  /** The most open requests one user may have at a time; 0 for no limit. Defaults to 5. */
  readonly openRequestsPerUser?: number
  /** The login that decides has to be newer than the request. Defaults to `false`. */
  readonly freshLogin?: boolean
  /** How often users may be asked, and clients may ask. `false` switches every limit of this kind off. */
  readonly limits?: Partial<Limits> | false
  /**
   * Seconds for which a client may not ask a user who said "I did not start this". Defaults to 604800, a week.
   * `backchannel.unblock` ends it earlier.
   */
  readonly notMeBlockSeconds?: number
  /**
   * Makes the counters behind limits and blocks. Defaults to the memory of this process; where there are several, pass
   * `(options) => new RateLimiterRedis({ storeClient, ...options })` of rate-limiter-flexible (with
   * `useRedisPackage: true` for the client of the package `redis`), or another of its kind.
   */
  readonly limiter?: LimiterFactory
  /** May a completion grant scope values that the client did not ask for? Defaults to `false`: less, never more. */
  readonly widerScopes?: boolean
  /** Look and language of the approval page. */
  readonly page?: PageOptions
  /** Lifetimes and audience of the tokens minted here. */
  readonly tokens?: TokenOptions
  /**
   * The host's own issuer, in place of ours: gets the grant, returns the members of the token response. Where it returns no
   * `id_token` we make one. Refreshing, revoking and introspecting these tokens is the host's.
   */
  readonly issueTokens?: IssueTokens
  /** Which tokens may a client introspect (RFC 7662)? Defaults to its own, and those that have it as `aud`. */
  readonly mayIntrospect?: MayIntrospect
  /**
   * The APIs that clients may name as `resource` (RFC 8707), by URI, or a function that knows them. Defaults to none:
   * every `resource` is refused, and access tokens are for `tokens.audience`.
   */
  readonly resources?: Resources
  /**
   * Types of `authorization_details` (RFC 9396): a strict zod schema each, or `{ schema, isWithin }`. Defaults to none:
   * all are refused.
   */
  readonly authorizationDetailsTypes?: DetailTypes
  /** Demand a nonce of ours in DPoP proofs (RFC 9449 8). Defaults to `false`. */
  readonly dpopNonce?: boolean
  /**
   * Shape of errors at the backchannel and the token endpoint: `oauth`, or Transmit's `{ message, error_code }` for all
   * but the answers to polls. Defaults to `oauth`.
   */
  readonly errorFormat?: 'oauth' | 'transmit'
  /**
   * What the `auth_req_id` in a link to a client's own `login_uri` is: the handle of the link (`link`), which is good for
   * completing and nothing else, or the real one, which then travels by SMS and e-mail. Defaults to `link`.
   */
  readonly landingHandle?: 'link' | 'auth_req_id'
  /**
   * What to do with a `grant_type` that is not ours, and with tokens to refresh, revoke or introspect that we did not make.
   * Defaults to `next`: the host's next handler gets the call untouched.
   */
  readonly otherGrants?: 'next' | 'refuse'
  /** Reads the client's certificate. Defaults to the TLS socket; trust a proxy's header only here, and knowingly. */
  readonly getCertificate?: GetCertificate
  /** Calls to URLs that clients registered: notification endpoints and `jwks_uri`. */
  readonly outbound?: OutboundOptions
  /** Carries pings and pushes. Defaults to `inProcessQueue()`; use `bullmqQueue` for several machines. */
  readonly queue?: DeliveryQueue
  /** Called when a ping or push was given up: refused by the client, or not accepted before the request expired. */
  readonly onUndelivered?: (undelivered: Undelivered) => Awaitable<void>
  /** Called with everything that happens. Must not throw. */
  readonly onEvent?: (event: BackchannelEvent) => void
  /** Spans and metrics: `openTelemetry(api)`. Defaults to none, which costs nothing. */
  readonly telemetry?: Telemetry
  /** A logger such as pino. Defaults to `console` for the start-up notices alone. */
  readonly logger?: Logger
  /** Epoch milliseconds. Defaults to `Date.now`; tests hold it still. */
  readonly clock?: () => number
  /** Called after each answer of a user, once it is stored. For hosts that wait for one. */
  readonly onAnswer?: (request: string, answer: Answer) => void
}

/** How notices find their way. */
export interface NoticeOptions {
  /** Names of the channels a client may use, in its order of preference. Defaults to all, in the order of `channels`. */
  readonly channelsFor?: (client: ClientMetadata) => readonly string[] | undefined
  /**
   * When the next channel takes over from one that cannot reach the user, or fails: where the client named none
   * (`unnamed`), `always`, or `never`. Defaults to `unnamed`.
   */
  readonly fallback?: Fallback
  /** Seconds before each further round over the channels when they failed for now. Defaults to `[2, 10, 30]`. */
  readonly retrySeconds?: readonly number[]
  /** Least seconds between two `backchannel.resend` of a request. Defaults to 30. */
  readonly resendSeconds?: number
  /** Sentences to replace, by language: the `message` before the link where the client sends none. */
  readonly texts?: NoticeTexts
}

/** Seconds may be a function of the client's metadata; where it returns `undefined` the default holds. */
export interface TokenOptions {
  /** Defaults to 3600. A completion may say otherwise for its request, as for the other. */
  readonly idTokenSeconds?: Seconds
  /** Defaults to 3600. */
  readonly accessTokenSeconds?: Seconds
  /** From one use of a refresh token to the next. Defaults to 2592000, 30 days. */
  readonly refreshTokenSeconds?: Seconds
  /** The most that refresh tokens of one approval live, however often they are used. Defaults to 31536000, a year. */
  readonly refreshFamilySeconds?: number
  /** Seconds for which a refresh token that was replaced is taken once more, for a lost answer. Defaults to 30. */
  readonly refreshGraceSeconds?: number
  /** Who gets a refresh token? Defaults to grants of `offline_access`; never for clients whose `grant_types` lack it. */
  readonly issueRefreshToken?: IssueRefreshToken
  /** An access token of the host's own, opaque for example, in place of a JWT. `undefined`: a JWT after all. */
  readonly accessToken?: MakeAccessToken
  /** `aud` of access tokens when the client names no `resource`. Defaults to the issuer. */
  readonly audience?: string
}

const hook = <T>() => z.custom<T>((value) => typeof value === 'function', 'must be a function')
const seconds = z.int('must be a whole number of seconds').positive('must be more than 0')
const lifetime = z
  .union([seconds, hook<Exclude<Seconds, number>>()], 'must be seconds, or a function of the client')
  .optional()
const count = z.int('must be a whole number').nonnegative('must be 0 or more')
const storeVerbs = [
  ...['add', 'find', 'poll', 'move', 'firstSeen', 'seen'],
  ...['addGrant', 'findGrant', 'rotate', 'endGrant'],
] as const satisfies readonly (keyof BackchannelStore)[]
const pem = z.string().includes('-----BEGIN ', { message: 'must be PEM text, not the name of a file' })
const path = z.string().regex(/^\/[\w./-]*[\w-]$/, 'must start with a slash, such as "/oidc/token"')
const scopeValue = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must hold scope values without spaces')
const absoluteUrl = z
  .string()
  .refine(isBaseUrl, 'must be an https URL without query or fragment (http on loopback only)')
const deliveryMode = z.enum(['poll', 'ping', 'push'])
const authMethod = z.enum(clientAuthMethods)

const schema = z.strictObject({
  issuer: absoluteUrl,
  profile: z.enum(['ciba', 'fapi-ciba', 'fapi2-ciba']).default('ciba'),
  clients: hook<BackchannelOptions['clients']>(),
  users: z
    .custom<Users>((value) => hasFunctions(value, 'find'), 'must be an object with a function "find"')
    .refine(
      (users) => mayHaveFunctions(users, 'isActive', 'claims', 'needsUserCode', 'checkUserCode'),
      'must have functions as isActive, claims, needsUserCode and checkUserCode, or none',
    ),
  session: z
    .custom<Session>(
      (value) => hasFunctions(value, 'current', 'loginUrl'),
      'must be an object with the functions "current" and "loginUrl"',
    )
    .refine((session) => mayHaveFunctions(session, 'verifyToken'), 'must have a function as verifyToken, or none')
    .optional(),
  channels: z
    .array(
      z
        .custom<Channel>((value) => hasFunctions(value, 'address', 'send'), 'must be a channel')
        .refine(
          ({ name }) => typeof name === 'string' && /^[\w-]{1,32}$/.test(name),
          'must have a name of 1 to 32 letters, digits, _ and -',
        ),
    )
    .refine((all) => new Set(all.map((each) => each.name)).size === all.length, 'must not name a channel twice')
    .optional(),
  notices: z
    .strictObject({
      channelsFor: hook<NonNullable<NoticeOptions['channelsFor']>>().optional(),
      fallback: z.enum(['unnamed', 'always', 'never']).default('unnamed'),
      retrySeconds: z
        .array(z.number().positive('must hold seconds').max(longestSeconds, 'must be 24 days at most'))
        .default([2, 10, 30]),
      resendSeconds: seconds.default(30),
      texts: z
        .custom<NoticeTexts>(
          (value) => isTable(value) && Object.values(value).every(isTable),
          'must be sentences by language',
        )
        .optional(),
    })
    .prefault({}),
  store: z
    .custom<BackchannelStore>(
      (value) => hasFunctions(value, ...storeVerbs),
      'must be a store: keyvStore(…), redisStore(…), postgresStore(…) or your own BackchannelStore',
    )
    .optional(),
  keys: z
    .custom<JwkSet>((value) => hasKeys(value), 'must be a JWK Set: { keys: [ … ] } with at least one key')
    .optional(),
  secret: z
    .union([z.string(), z.instanceof(Uint8Array)])
    .refine((secret) => secret.length >= 32, 'must have at least 32 bytes')
    .optional(),
  baseUrl: absoluteUrl.optional(),
  mtlsBaseUrl: absoluteUrl.optional(),
  paths: z
    .strictObject({
      backchannel: path.optional(),
      token: path.optional(),
      revoke: path.optional(),
      introspect: path.optional(),
      jwks: path.optional(),
      discovery: path.optional(),
      approve: path.optional(),
      complete: path.optional(),
      notices: path.optional(),
    })
    .optional(),
  scopes: z
    .array(scopeValue)
    .refine((all) => all.includes('openid'), 'must contain "openid"')
    .default(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']),
  scopeClaims: z.record(scopeValue, z.array(z.string().min(1))).default({}),
  acrValues: z.array(z.string().min(1)).default([]),
  clientAuthMethods: z.array(authMethod).min(1, 'must name a method').optional(),
  assertionAudience: z.enum(['issuer', 'any-endpoint']).optional(),
  assertionMaxSeconds: z.int().min(10, 'must be at least 10').max(3600, 'must be at most 3600').default(300),
  expirySeconds: seconds.default(600),
  maxExpirySeconds: seconds.optional(),
  intervalSeconds: seconds.default(5),
  graceSeconds: z.int().min(60, 'must be at least 60').default(120),
  bindingMessage: z
    .union([z.enum(['printable', 'transmit', 'ascii']), hook<(message: string) => string | undefined>()])
    .default('printable'),
  requireBindingMessage: z.boolean().default(false),
  requireSignedRequests: z.boolean().optional(),
  hideUnknownUsers: z.boolean().default(false),
  userCodes: z.boolean().default(false),
  loginHintToken: hook<LoginHintTokenVerifier>().optional(),
  idTokenHintDays: z.number().positive('must be more than 0').default(30),
  deliveryModes: z.array(deliveryMode).min(1, 'must name a mode').default(['poll', 'ping']),
  longPoll: z
    .strictObject({
      holdSeconds: seconds.max(longestHoldSeconds, `must be at most ${longestHoldSeconds}`),
      heldPolls: count.default(20_000),
      heldPollsPerClient: count.default(5_000),
    })
    .optional(),
  openRequestsPerUser: z.int().nonnegative().default(5),
  freshLogin: z.boolean().default(false),
  limits: z
    .union([
      z.literal(false).transform(() => undefined),
      z.strictObject({
        promptsPerUser: count.default(defaultLimits.promptsPerUser),
        promptsPerClientAndUser: count.default(defaultLimits.promptsPerClientAndUser),
        noticesPerDestination: count.default(defaultLimits.noticesPerDestination),
        requestsPerClient: count.default(defaultLimits.requestsPerClient),
        failedAuthentications: count.default(defaultLimits.failedAuthentications),
        noticesPerDestinationAndDay: count.default(defaultLimits.noticesPerDestinationAndDay),
        failedHintsPerClient: count.default(defaultLimits.failedHintsPerClient),
        denialSeconds: count.default(defaultLimits.denialSeconds),
      }),
    ])
    .prefault({}),
  notMeBlockSeconds: seconds.max(longestSeconds, 'must be 24 days at most').default(604_800),
  limiter: hook<LimiterFactory>().default(() => memoryLimiter),
  widerScopes: z.boolean().default(false),
  page: z
    .strictObject({
      texts: z
        .custom<PageOptions['texts']>(
          (value) => isTable(value) && Object.values(value).every(isTable),
          'must be sentences by language',
        )
        .optional(),
      theme: z.custom<Theme>((value) => isTable(value), 'must be CSS values by name').optional(),
      template: hook<NonNullable<PageOptions['template']>>().optional(),
      logos: z.boolean().default(false),
      timeZone: z.string().refine(isTimeZone, 'must be a time zone such as "Europe/Berlin"').optional(),
      details: z
        .custom<PageOptions['details']>(
          (value) => isTable(value) && Object.values(value).every((each) => typeof each === 'function'),
          'must be functions by type',
        )
        .optional(),
      place: hook<NonNullable<PageOptions['place']>>().optional(),
      choices: z.boolean().default(false),
    })
    .prefault({}),
  tokens: z
    .strictObject({
      idTokenSeconds: lifetime,
      accessTokenSeconds: lifetime,
      refreshTokenSeconds: lifetime,
      refreshFamilySeconds: seconds.default(365 * 86_400),
      refreshGraceSeconds: z.int().nonnegative().max(300, 'must be at most 300').default(30),
      issueRefreshToken: hook<IssueRefreshToken>().optional(),
      accessToken: hook<MakeAccessToken>().optional(),
      audience: z.string().min(1).optional(),
    })
    .prefault({}),
  issueTokens: hook<IssueTokens>().optional(),
  mayIntrospect: hook<MayIntrospect>().optional(),
  resources: z
    .custom<Resources>(
      (value) => typeof value === 'function' || (isTable(value) && Object.keys(value).every(isResource)),
      'must be resources by URI, absolute and without fragment, or a function',
    )
    .default({}),
  authorizationDetailsTypes: z
    .custom<DetailTypes>(
      (value) => isTable(value) && Object.values(value).every(isDetailType),
      'must be zod schemas by type, or objects with a schema',
    )
    .default({}),
  dpopNonce: z.boolean().default(false),
  errorFormat: z.enum(['oauth', 'transmit']).default('oauth'),
  landingHandle: z.enum(['link', 'auth_req_id']).default('link'),
  otherGrants: z.enum(['next', 'refuse']).default('next'),
  getCertificate: hook<GetCertificate>().optional(),
  outbound: z
    .strictObject({
      allow: z.array(z.string()).optional(),
      ca: z.union([pem, z.array(pem)], 'must be PEM text, not the name of a file').optional(),
      clientCertificate: z.strictObject({ cert: pem, key: pem }).optional(),
      lookup: hook<NonNullable<OutboundOptions['lookup']>>().optional(),
      connectMs: z.int().positive().optional(),
      totalMs: z.int().positive().optional(),
    })
    .optional(),
  queue: z
    .custom<DeliveryQueue>(
      (value) => hasFunctions(value, 'start', 'add', 'wake', 'failed', 'replay', 'close'),
      'must be a queue: inProcessQueue(…), bullmqQueue(…) or your own DeliveryQueue',
    )
    .optional(),
  onUndelivered: hook<(undelivered: Undelivered) => Awaitable<void>>().optional(),
  onEvent: hook<(event: BackchannelEvent) => void>().optional(),
  telemetry: z
    .custom<Telemetry>(
      (value) => hasFunctions(value, 'step', 'event'),
      'must be openTelemetry(api), or your own Telemetry',
    )
    .optional(),
  logger: z
    .custom<Logger>((value) => hasFunctions(value, 'info', 'warn', 'error'), 'must have info, warn and error')
    .optional(),
  clock: hook<() => number>().default(() => Date.now),
  onAnswer: hook<(request: string, answer: Answer) => void>().optional(),
})

/** The options after the check, with every default filled in. */
export type Settings = Omit<z.output<typeof schema>, 'paths' | keyof Decided> & Decided & { readonly paths: Paths }

/** What the profile decides where the options say nothing. */
interface Decided {
  readonly requireSignedRequests: boolean
  readonly assertionAudience: 'issuer' | 'any-endpoint'
  readonly clientAuthMethods: readonly ClientAuthMethod[]
}

// The documented type and the check are compared here: a member that only one of them knows does not compile.
type Same<A, B> = [keyof A] extends [keyof B] ? ([keyof B] extends [keyof A] ? true : never) : never
type Checked = z.input<typeof schema>
type Inside<Name extends keyof Checked & keyof BackchannelOptions> = Same<
  Exclude<BackchannelOptions[Name], false | undefined>,
  Exclude<Checked[Name], false | undefined>
>
const same: Same<BackchannelOptions, Checked> = true
const sameInside: [
  Inside<'paths'>,
  Inside<'notices'>,
  Inside<'longPoll'>,
  Inside<'limits'>,
  Inside<'page'>,
  Inside<'tokens'>,
  Inside<'outbound'>,
] = [true, true, true, true, true, true, true]
void same
void sameInside

/**
 * Checks the options and fills in the defaults.
 * @throws TypeError that names the option and says what to do.
 */
export function readOptions(options: BackchannelOptions): Settings {
  const result = schema.safeParse(options)
  if (!result.success) throw new TypeError(explain(result.error.issues[0]))
  const rules = profiles[result.data.profile]
  refuseContradictions(result.data.profile, result.data)
  const settings = {
    ...result.data,
    requireSignedRequests: result.data.requireSignedRequests ?? rules.signedRequests !== 'optional',
    assertionAudience: result.data.assertionAudience ?? rules.assertionAudience,
    clientAuthMethods: result.data.clientAuthMethods ?? (rules.clientAuthMethods as readonly ClientAuthMethod[]),
    paths: { ...defaultPaths, ...withoutUndefined(result.data.paths ?? {}) },
  }
  const places = Object.values(settings.paths)
  if (new Set(places).size !== places.length) {
    throw new TypeError('express-ciba: option "paths" gives two routes the same path; give each its own')
  }
  if (settings.session === undefined && (settings.channels?.length ?? 0) > 0) {
    throw new TypeError(
      'express-ciba: option "session" is missing: channels send a link to a page that asks who is signed in',
    )
  }
  if (settings.userCodes && settings.users.checkUserCode === undefined) {
    throw new TypeError('express-ciba: option "users.checkUserCode" is missing: "userCodes" needs it')
  }
  return settings
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'express-ciba: the options are not valid'
  if (issue.code === 'unrecognized_keys') {
    const where = issue.path.length === 0 ? '' : ` in "${issue.path.join('.')}"`
    return `express-ciba: unknown option "${issue.keys.join('", "')}"${where}; check the spelling, or remove it`
  }
  const name = issue.path.join('.')
  if (name === '') return 'express-ciba: the options must be an object with issuer, clients and users'
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.includes('undefined')) {
    return `express-ciba: option "${name}" is missing; it ${expected[name] ?? `must be a ${issue.expected}`}`
  }
  return `express-ciba: option "${name}" ${issue.message.startsWith('must') ? issue.message : `is not valid: ${issue.message}`}`
}

const expected: Record<string, string> = {
  issuer: 'must be an https URL such as "https://login.example.com"',
}

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  return (
    (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) && !/[?#\s]/.test(text) && url.username === ''
  )
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isResource(uri: string): boolean {
  return URL.canParse(uri) && !uri.includes('#')
}

function isDetailType(type: unknown): boolean {
  return (
    hasFunctions(type, 'safeParse') || (isTable(type) && 'schema' in type && hasFunctions(type.schema, 'safeParse'))
  )
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function hasFunctions(value: unknown, ...names: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}

/** Are these functions, as far as they are there? */
function mayHaveFunctions(value: object, ...names: string[]): boolean {
  return names.every((name) => ['function', 'undefined'].includes(typeof (value as Record<string, unknown>)[name]))
}

function hasKeys(value: unknown): boolean {
  const keys = (value as { keys?: unknown } | null | undefined)?.keys
  return Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key?.kty === 'string')
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
