import type { ClientAuthMethod } from '../contracts/clients.ts'
import type {
  ApprovalOptions,
  ClientAuthOptions,
  DeliveryOptions,
  InteropOptions,
  LimitOptions,
  NoticeOptions,
  OutboundOptions,
  PageOptions,
  Paths,
  PollingOptions,
  Profile,
  RequestOptions,
  TokenOptions,
} from '../contracts/options.ts'

/** A group of options: members `Name` have their defaults filled in, members `Hook` are reached through `ctx` alone. */
type Filled<Group, Name extends keyof Group, Hook extends keyof Group = never> = Omit<Group, Name | Hook> & {
  readonly [K in Name]-?: Exclude<Group[K], undefined>
}

/** The options that asking the user stands on, checked, with every default filled in. */
export interface AskSettings {
  readonly issuer: string
  readonly paths: Paths
  readonly requests: Filled<
    RequestOptions,
    | 'scopes'
    | 'acrValues'
    | 'expirySeconds'
    | 'maxExpirySeconds'
    | 'graceSeconds'
    | 'requireBindingMessage'
    | 'requireSigned'
    | 'userCodes'
    | 'idTokenHintSeconds'
    | 'hideUnknownUsers',
    'bindingMessage' | 'loginHintToken' | 'resources' | 'authorizationDetails'
  > & {
    /** `own`: a function of the host's, in `ctx.hooks`. */
    readonly bindingMessage: 'printable' | 'transmit' | 'ascii' | 'own'
  }
  readonly notices: Filled<NoticeOptions, 'fallback' | 'retrySeconds' | 'resendSeconds', 'channelsFor'>
  readonly page: Filled<PageOptions, 'logos', 'place' | 'template' | 'details'>
  readonly approval: Required<ApprovalOptions>
  /** With `limits: false` every budget is 0. */
  readonly limits: Required<Omit<LimitOptions, 'counter'>>
  readonly interop: Required<InteropOptions>
}

/** All options, checked, with every default filled in. */
export interface Settings extends AskSettings {
  readonly profile: Profile
  readonly polling: Filled<PollingOptions, 'intervalSeconds' | 'heldPolls' | 'heldPollsPerClient'>
  readonly clientAuth: Filled<
    ClientAuthOptions,
    'methods' | 'assertionAudience' | 'assertionMaxSeconds' | 'dpopNonce',
    'getCertificate'
  >
  readonly tokens: {
    readonly refreshFamilySeconds: number
    readonly refreshGraceSeconds: number
    /** `aud` of access tokens when the client names no `resource`. */
    readonly audience: string
    /** The standard ones and the host's own. */
    readonly scopeClaims: NonNullable<TokenOptions['scopeClaims']>
  }
  readonly delivery: { readonly modes: NonNullable<DeliveryOptions['modes']>; readonly outbound: OutboundOptions }
  /** The option `secret` was set: pairwise subjects outlive the keys. */
  readonly hasOwnSecret: boolean
}

/** Rules that a profile sets for the whole server. */
export interface ProfileRules {
  /** `default`: every request is signed, unless the host says that it need not be. */
  readonly signedRequests: 'optional' | 'default' | 'required'
  /** Every request has a binding message or authorization details. */
  readonly requireContext: boolean
  /** Tokens are bound to a key; bearer tokens are not handed out. */
  readonly senderConstrained: boolean
  /** Each use of a refresh token brings a new one. */
  readonly rotatesRefreshTokens: boolean
  /** What a client assertion may name as its audience. */
  readonly assertionAudience: 'issuer' | 'any-endpoint'
  /** `aud` of a client assertion is a string, not an array. */
  readonly audienceAsString: boolean
  readonly deliveryModes: readonly ('poll' | 'ping' | 'push')[]
  readonly clientAuthMethods: readonly ClientAuthMethod[]
  /** Algorithms for client assertions, signed requests, DPoP proofs and ID tokens. Absent: all. */
  readonly algs?: readonly string[]
}

/** Absolute URLs of the routes, always from configuration and never from a request's `Host`. */
export interface Urls extends Paths {
  /** Scheme, host and port. */
  readonly origin: string
  /** Where the router is mounted, without a final slash. */
  readonly base: string
}
