import type {
  ApprovalOptions,
  BackchannelOptions,
  DeliveryOptions,
  Paths,
  RequestOptions,
} from '../contracts/options.ts'
import type { ProviderErrors } from './types.ts'

/** Options that mean the same here as at `createBackchannelRouter`. */
type Shared =
  | 'issuer'
  | 'baseUrl'
  | 'users'
  | 'session'
  | 'channels'
  | 'store'
  | 'secret'
  | 'timeoutSeconds'
  | 'onEvent'
  | 'onAnswer'
  | 'logger'
  | 'telemetry'
  | 'clock'
  | 'notices'
  | 'page'
  | 'limits'

/** The options of `createBackchannelRouter` that have a meaning here, and how users sign in. */
export interface CibaFeatureOptions extends Pick<BackchannelOptions, Shared> {
  /** `errors` of the package oidc-provider, which takes no others. */
  readonly errors: ProviderErrors
  /** Paths of the routes below the mount point. Defaults as at `createBackchannelRouter`. */
  readonly paths?: Partial<Pick<Paths, 'approve' | 'complete' | 'notices'>>
  /**
   * Users decide with their login at oidc-provider. `clientId`: a client of its own for the page, registered with
   * `response_types: ['none']`, `grant_types: []`, `token_endpoint_auth_method: 'none'` and the `redirect_uris`
   * `<issuer>/auth/backchannel/signed-in`. Pass `session` instead where the login is elsewhere.
   */
  readonly signIn?: { readonly clientId: string }
  /** What clients may ask for, as far as oidc-provider leaves it to us. */
  readonly requests?: Pick<
    RequestOptions,
    | 'acrValues'
    | 'graceSeconds'
    | 'bindingMessage'
    | 'requireBindingMessage'
    | 'userCodes'
    | 'loginHintToken'
    | 'authorizationDetails'
  >
  /** What a decision needs. */
  readonly approval?: Pick<ApprovalOptions, 'choices' | 'freshLogin'>
  /** How oidc-provider is told of answers. */
  readonly delivery?: Pick<DeliveryOptions, 'queue' | 'onUndelivered'> & {
    /** Delivery modes that oidc-provider offers. Defaults to both. */
    readonly modes?: readonly ('poll' | 'ping')[]
  }
}
