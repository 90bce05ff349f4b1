import { z } from 'zod'
import type { Channel, NoticeTexts } from '../contracts/channel.ts'
import type { Clients, GetCertificate, JwkSet } from '../contracts/clients.ts'
import type {
  ApprovalOptions,
  BackchannelOptions,
  BindingMessagePolicy,
  ClientAuthOptions,
  CounterFactory,
  DeliveryOptions,
  InteropOptions,
  LimitOptions,
  NoticeOptions,
  OutboundOptions,
  PageOptions,
  Paths,
  PollingOptions,
  RequestOptions,
  TokenLifetimes,
  TokenOptions,
} from '../contracts/options.ts'
import type { PageTexts, Theme } from '../contracts/page.ts'
import type { DeliveryQueue } from '../contracts/queue.ts'
import type { Session } from '../contracts/session.ts'
import type { BackchannelStore } from '../contracts/store.ts'
import type { Logger, Telemetry } from '../contracts/telemetry.ts'
import type { DetailTypes, Resources, ScopeClaims, Seconds } from '../contracts/tokens.ts'
import type { LoginHintTokenVerifier, Users } from '../contracts/users.ts'
import { isObject } from '../core/json.ts'
import { maxHoldSeconds } from '../core/pacing.ts'
import { isResource } from '../protocol/authorization/resources.ts'
import { clientAuthMethods } from '../protocol/client/metadataSchema.ts'
import { maxCounterSeconds } from '../protocol/limits/budgets.ts'
import {
  areTables,
  hasFunctions,
  hasOptionalFunctions,
  isBaseUrl,
  isDetailType,
  isKeySet,
  isTimeZone,
} from './checks.ts'

/**
 * A check for every member of a group of options, of its type. A member that only one of them knows does not compile:
 * each shape below `satisfies` the shape of its documented type.
 */
type Shape<Group> = { readonly [Name in keyof Group]-?: z.ZodType<Group[Name] | undefined> }

/** The same for a group of groups, by name alone: their own shapes compare the types. */
type Names<Group> = { readonly [Name in keyof Group]-?: z.ZodType }

const hook = <T>() => z.custom<T>((value) => typeof value === 'function', 'must be a function')
const seconds = z.int('must be a whole number of seconds').positive('must be more than 0')
const timerSeconds = seconds.max(maxCounterSeconds, 'must be 24 days at most')
/** May be less than a second. */
const timeout = z.number().positive('must be more than 0').max(maxCounterSeconds, 'must be 24 days at most')
const lifetime = z
  .union([seconds, hook<Exclude<Seconds, number>>()], 'must be seconds, or a function of the client')
  .optional()
const count = z.int('must be a whole number').nonnegative('must be 0 or more')
const pem = z.string().includes('-----BEGIN ', { message: 'must be PEM text, not the name of a file' })
const path = z
  .string()
  .regex(/^\/[\w./-]*[\w-]$/, 'must start with a slash, such as "/oidc/token"')
  .optional()
const scopeValue = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must hold scope values without spaces')
const absoluteUrl = z
  .string()
  .refine(isBaseUrl, 'must be an https URL without query or fragment (http on loopback only)')

/** A week. */
export const defaultBlockSeconds = 604_800

const storeVerbs = [
  ...['add', 'find', 'poll', 'move', 'firstSeen', 'seen'],
  ...['addGrant', 'findGrant', 'rotate', 'endGrant'],
] as const satisfies readonly (keyof BackchannelStore)[]

const paths = {
  backchannel: path,
  token: path,
  revoke: path,
  introspect: path,
  jwks: path,
  discovery: path,
  approve: path,
  complete: path,
  notices: path,
} satisfies Shape<Paths>

const requests = {
  scopes: z
    .array(scopeValue)
    .refine((all) => all.includes('openid'), 'must contain "openid"')
    .default(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']),
  acrValues: z.array(z.string().min(1)).default([]),
  expirySeconds: seconds.default(600),
  maxExpirySeconds: seconds.optional(),
  graceSeconds: z.int().min(60, 'must be at least 60').default(120),
  bindingMessage: z
    .union(
      [z.enum(['printable', 'transmit', 'ascii']), hook<Exclude<BindingMessagePolicy, string>>()],
      'must be "printable", "transmit", "ascii", or a function',
    )
    .default('printable'),
  requireBindingMessage: z.boolean().default(false),
  requireSigned: z.boolean().optional(),
  userCodes: z.boolean().default(false),
  loginHintToken: hook<LoginHintTokenVerifier>().optional(),
  idTokenHintSeconds: seconds.default(30 * 86_400),
  hideUnknownUsers: z.boolean().default(false),
  authorizationDetails: z
    .custom<DetailTypes>(
      (value) => isObject(value) && Object.values(value).every(isDetailType),
      'must be zod schemas by type, or objects with a schema',
    )
    .optional(),
  resources: z
    .custom<Resources>(
      (value) => typeof value === 'function' || (isObject(value) && Object.keys(value).every(isResource)),
      'must be resources by URI, absolute and without fragment, or a function',
    )
    .optional(),
} satisfies Shape<RequestOptions>

const polling = {
  intervalSeconds: seconds.default(5),
  holdSeconds: seconds.max(maxHoldSeconds, `must be at most ${maxHoldSeconds}`).optional(),
  heldPolls: count.default(20_000),
  heldPollsPerClient: count.default(5_000),
} satisfies Shape<PollingOptions>

const clientAuth = {
  methods: z.array(z.enum(clientAuthMethods)).min(1, 'must name a method').optional(),
  assertionAudience: z.enum(['issuer', 'any-endpoint']).optional(),
  assertionMaxSeconds: z.int().min(10, 'must be at least 10').max(3600, 'must be at most 3600').default(300),
  getCertificate: hook<GetCertificate>().optional(),
  dpopNonce: z.boolean().default(false),
} satisfies Shape<ClientAuthOptions>

const notices = {
  channelsFor: hook<NonNullable<NoticeOptions['channelsFor']>>().optional(),
  fallback: z.enum(['unnamed', 'always', 'never']).default('unnamed'),
  retrySeconds: z
    .array(z.number().positive('must hold seconds').max(maxCounterSeconds, 'must be 24 days at most'))
    .default([2, 10, 30]),
  resendSeconds: seconds.default(30),
  texts: z.custom<NoticeTexts>(areTables, 'must be sentences by language').optional(),
} satisfies Shape<NoticeOptions>

const page = {
  texts: z.custom<PageTexts>(areTables, 'must be sentences by language').optional(),
  theme: z.custom<Theme>(isObject, 'must be CSS values by name').optional(),
  template: hook<NonNullable<PageOptions['template']>>().optional(),
  logos: z.boolean().default(false),
  timeZone: z.string().refine(isTimeZone, 'must be a time zone such as "Europe/Berlin"').optional(),
  details: z
    .custom<NonNullable<PageOptions['details']>>(
      (value) => isObject(value) && Object.values(value).every((each) => typeof each === 'function'),
      'must be functions by type',
    )
    .optional(),
  place: hook<NonNullable<PageOptions['place']>>().optional(),
} satisfies Shape<PageOptions>

const approval = {
  choices: z.boolean().default(false),
  freshLogin: z.boolean().default(false),
  widerScopes: z.boolean().default(false),
  landingHandle: z.enum(['link', 'auth_req_id']).default('link'),
} satisfies Shape<ApprovalOptions>

const lifetimes = {
  idTokenSeconds: lifetime,
  accessTokenSeconds: lifetime,
  refreshTokenSeconds: lifetime,
  refreshFamilySeconds: seconds.default(365 * 86_400),
  refreshGraceSeconds: z.int().nonnegative().max(300, 'must be at most 300').default(30),
} satisfies Shape<TokenLifetimes>

const tokens = {
  lifetimes: z.strictObject(lifetimes).prefault({}),
  audience: z.string().min(1).optional(),
  issue: hook<NonNullable<TokenOptions['issue']>>().optional(),
  accessToken: hook<NonNullable<TokenOptions['accessToken']>>().optional(),
  issueRefreshToken: hook<NonNullable<TokenOptions['issueRefreshToken']>>().optional(),
  scopeClaims: z.record(scopeValue, z.array(z.string().min(1))).default({}) satisfies z.ZodType<ScopeClaims>,
  mayIntrospect: hook<NonNullable<TokenOptions['mayIntrospect']>>().optional(),
} satisfies Names<TokenOptions>

const outbound = {
  allow: z.array(z.string()).optional(),
  ca: z.union([pem, z.array(pem)], 'must be PEM text, not the name of a file').optional(),
  clientCertificate: z.strictObject({ cert: pem, key: pem }).optional(),
  lookup: hook<NonNullable<OutboundOptions['lookup']>>().optional(),
  connectSeconds: timeout.optional(),
  totalSeconds: timeout.optional(),
} satisfies Shape<OutboundOptions>

const delivery = {
  modes: z
    .array(z.enum(['poll', 'ping', 'push']))
    .min(1, 'must name a mode')
    .default(['poll', 'ping']),
  queue: z
    .custom<DeliveryQueue>(
      (value) => hasFunctions(value, 'start', 'add', 'wake', 'failed', 'replay', 'close'),
      'must be a queue: inProcessQueue(…), bullmqQueue(…) or your own DeliveryQueue',
    )
    .optional(),
  outbound: z.strictObject(outbound).prefault({}),
  onUndelivered: hook<NonNullable<DeliveryOptions['onUndelivered']>>().optional(),
} satisfies Names<DeliveryOptions>

const limits = {
  promptsPerUser: count.default(30),
  promptsPerClientAndUser: count.default(20),
  noticesPerDestination: count.default(20),
  noticesPerDestinationAndDay: count.default(60),
  requestsPerClient: count.default(1200),
  failedHintsPerClient: count.default(100),
  failedAuthentications: count.default(30),
  denialSeconds: count.default(30),
  openRequestsPerUser: count.default(5),
  notMeBlockSeconds: timerSeconds.default(defaultBlockSeconds),
  counter: hook<CounterFactory>().optional(),
} satisfies Shape<LimitOptions>

const interop = {
  errorFormat: z.enum(['oauth', 'transmit']).default('oauth'),
  otherGrants: z.enum(['next', 'refuse']).default('next'),
} satisfies Shape<InteropOptions>

const channel = z
  .custom<Channel>((value) => hasFunctions(value, 'address', 'send'), 'must be a channel, such as linkChannel()')
  .refine(
    ({ name }) => typeof name === 'string' && /^[\w-]{1,32}$/.test(name),
    'must have a name of 1 to 32 letters, digits, _ and -',
  )

/** The options that asking the user stands on, whoever serves the clients. */
export type AskOptions = Omit<
  BackchannelOptions,
  'profile' | 'mtlsBaseUrl' | 'clients' | 'keys' | 'polling' | 'clientAuth' | 'tokens'
>

const askShape = {
  issuer: absoluteUrl,
  baseUrl: absoluteUrl.optional(),
  paths: z.strictObject(paths).prefault({}),
  users: z
    .custom<Users>((value) => hasFunctions(value, 'find'), 'must be an object with a function "find"')
    .refine(
      (users) => hasOptionalFunctions(users, 'isActive', 'claims', 'needsUserCode', 'checkUserCode'),
      'must have functions as isActive, claims, needsUserCode and checkUserCode, or none',
    ),
  session: z
    .custom<Session>(
      (value) => hasFunctions(value, 'current', 'loginUrl'),
      'must be an object with the functions "current" and "loginUrl"',
    )
    .refine((session) => hasOptionalFunctions(session, 'verifyToken'), 'must have a function as verifyToken, or none')
    .optional(),
  channels: z
    .array(channel)
    .refine((all) => new Set(all.map((each) => each.name)).size === all.length, 'must not name a channel twice')
    .optional(),
  store: z
    .custom<BackchannelStore>(
      (value) => hasFunctions(value, ...storeVerbs),
      'must be a store: keyvStore(…), redisStore(…), postgresStore(…) or your own BackchannelStore',
    )
    .optional(),
  secret: z
    .union([z.string(), z.instanceof(Uint8Array)], 'must be text or bytes')
    .refine((secret) => secret.length >= 32, 'must have at least 32 bytes')
    .optional(),
  timeoutSeconds: timeout.optional(),
  onEvent: hook<NonNullable<BackchannelOptions['onEvent']>>().optional(),
  onAnswer: hook<NonNullable<BackchannelOptions['onAnswer']>>().optional(),
  logger: z
    .custom<Logger>((value) => hasFunctions(value, 'info', 'warn', 'error'), 'must have info, warn and error')
    .optional(),
  telemetry: z
    .custom<Telemetry>(
      (value) => hasFunctions(value, 'step', 'event'),
      'must be openTelemetry(api), or your own Telemetry',
    )
    .optional(),
  clock: hook<() => number>().optional(),
  requests: z.strictObject(requests).prefault({}),
  notices: z.strictObject(notices).prefault({}),
  page: z.strictObject(page).prefault({}),
  approval: z.strictObject(approval).prefault({}),
  delivery: z.strictObject(delivery).prefault({}),
  limits: z
    .union([z.literal(false), z.strictObject(limits)], {
      // of an object, the member that is wrong is named
      error: ({ input }) => (isObject(input) ? undefined : 'must be limits by name, or false'),
    })
    .prefault({}),
  interop: z.strictObject(interop).prefault({}),
} satisfies Names<AskOptions>

export const askSchema = z.strictObject(askShape)

export const schema = z.strictObject({
  ...askShape,
  profile: z.enum(['ciba', 'fapi-ciba', 'fapi2-ciba']).default('ciba'),
  mtlsBaseUrl: absoluteUrl.optional(),
  clients: z.custom<Clients>(
    (value) => hasFunctions(value, 'find'),
    'must be an object with a function "find": { find: ({ clientId }) => … }',
  ),
  keys: z.custom<JwkSet>(isKeySet, 'must be a JWK Set: { keys: [ … ] } with at least one key').optional(),
  polling: z.strictObject(polling).prefault({}),
  clientAuth: z.strictObject(clientAuth).prefault({}),
  tokens: z.strictObject(tokens).prefault({}),
} satisfies Names<BackchannelOptions>)
