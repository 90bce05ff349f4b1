import type { Client } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { RequestDetails } from '../../core/request.ts'
import { wantedAcrs } from '../authorization/claims.ts'
import { type HintParameter, theOneHint } from './hint.ts'
import { type RequestContext, readContext } from './requestContext.ts'

/** The parameters of an authentication request (CIBA Core 7.1, FAPI-CIBA, RFC 8707, 9396, 9449, OpenID Connect Core 5.5). */
export const parameterNames = [
  'scope',
  'client_notification_token',
  'acr_values',
  'login_hint_token',
  'id_token_hint',
  'login_hint',
  'binding_message',
  'user_code',
  'requested_expiry',
  'request_context',
  'resource',
  'authorization_details',
  'claims',
  'grant_id',
  'grant_management_action',
  'dpop_jkt',
] as const

/** The parameters of a request, from the form or from a verified signed request. */
export interface Parameters {
  /** Value of a parameter; JSON types other than text only where they come from a signed request. */
  get(name: string): unknown
  /** Was the parameter sent without a value? */
  sentEmpty(name: string): boolean
  readonly resources: readonly string[]
}

/** What the client asks, checked, before anybody was looked up. */
export interface Ask {
  readonly details: RequestDetails
  readonly hint: HintParameter
  readonly context: RequestContext | undefined
  readonly userCode: string | undefined
  readonly notificationToken: string | undefined
  /** Seconds, not yet cut to the server's maximum. */
  readonly requestedExpiry: number | undefined
}

export interface ParseOptions {
  readonly scopes: readonly string[]
  readonly acrValues: readonly string[]
  /** `explained`: authorization details say what this is about. */
  checkBindingMessage(message: string | undefined, sentEmpty: boolean, explained: boolean): string | undefined
  readExtras(parameters: Parameters, client: Client): Promise<Partial<RequestDetails>>
}

/** Checks every parameter of an authentication request, in the order the requirements give (CIBA Core 7.1, 7.2). */
export function createParse(options: ParseOptions) {
  const scopes = new Set(options.scopes)
  const acrValues = new Set(options.acrValues)

  return async (parameters: Parameters, client: Client): Promise<Ask> => {
    const scope = readScope(text(parameters, 'scope'), scopes, client)
    const extras = await options.readExtras(parameters, client)
    const hint = theOneHint((name) => text(parameters, name))
    const notificationToken = readNotificationToken(text(parameters, 'client_notification_token'), client)
    const requestedExpiry = readExpiry(parameters.get('requested_expiry'))
    const bindingMessage = options.checkBindingMessage(
      text(parameters, 'binding_message'),
      parameters.sentEmpty('binding_message'),
      extras.authorizationDetails !== undefined,
    )
    const context = readContext(parameters.get('request_context'))
    const { default_acr_values, default_max_age, require_auth_time } = client.metadata
    const asked = text(parameters, 'acr_values')?.split(' ') ?? wantedAcrs(extras.claims) ?? default_acr_values
    const wanted = asked?.filter((acr) => acrValues.has(acr))
    const details: RequestDetails = {
      ...extras,
      scope,
      ...(wanted?.length ? { acrValues: wanted } : {}),
      ...(default_max_age === undefined ? {} : { maxAge: default_max_age }),
      ...(require_auth_time || default_max_age !== undefined ? { requireAuthTime: true as const } : {}),
      ...(bindingMessage === undefined ? {} : { bindingMessage }),
      ...(context === undefined ? {} : { requestContext: context.all }),
    }
    return { details, hint, context, userCode: text(parameters, 'user_code'), notificationToken, requestedExpiry }
  }
}

function text(parameters: Parameters, name: string): string | undefined {
  const value = parameters.get(name)
  if (value === undefined || typeof value === 'string') return value
  throw new BackchannelError('invalid_request', `${name} must be a string`)
}

// RFC 6749 3.3
const scopeSyntax = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/

function readScope(value: string | undefined, supported: ReadonlySet<string>, client: Client): readonly string[] {
  if (value === undefined) throw new BackchannelError('invalid_request', 'scope is missing')
  if (!scopeSyntax.test(value)) throw new BackchannelError('invalid_scope', 'scope is malformed')
  const scope = [...new Set(value.split(' '))]
  if (!scope.includes('openid')) throw new BackchannelError('invalid_scope', 'scope must contain openid')
  for (const each of scope) {
    if (!supported.has(each)) throw new BackchannelError('invalid_scope', 'scope holds a value that is not supported')
    if (client.scope !== undefined && !client.scope.has(each)) {
      throw new BackchannelError('invalid_scope', 'scope holds a value that this client is not registered for')
    }
  }
  return scope
}

// RFC 6750 2.1, CIBA Core 7.1: at most 1024 characters; fewer than 22 cannot hold the required 128 bits
const bearerSyntax = /^[A-Za-z0-9\-._~+/]+=*$/

function readNotificationToken(value: string | undefined, client: Client): string | undefined {
  if (client.deliveryMode === 'poll') return undefined
  if (value === undefined) throw new BackchannelError('invalid_request', 'client_notification_token is missing')
  if (value.length > 1024 || value.length < 22 || !bearerSyntax.test(value)) {
    throw new BackchannelError(
      'invalid_request',
      'client_notification_token must be 22 to 1024 characters of bearer token syntax',
    )
  }
  return value
}

function readExpiry(value: unknown): number | undefined {
  if (value === undefined) return undefined
  const seconds = typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : value
  if (typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw new BackchannelError('invalid_request', 'requested_expiry must be a positive whole number of seconds')
}
