import type { AuthorizationDetail, RequestDetails } from '../../contracts/request.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { readAuthorizationDetails } from '../authorization/authorizationDetails.ts'
import { isEssential, readClaims, requestedAcrs } from '../authorization/claims.ts'
import { readResources } from '../authorization/resources.ts'
import { checkBindingMessage } from './bindingMessage.ts'
import type { HintParameter } from './hint.ts'
import type { Parameters } from './parameters.ts'
import { type RequestContext, readContext } from './requestContext.ts'

/** What the client asks, checked, before anybody was looked up. */
export interface Asked {
  readonly details: RequestDetails
  readonly hint: HintParameter
  readonly context: RequestContext | undefined
  readonly userCode: string | undefined
  readonly notificationToken: string | undefined
  /** Seconds, not yet cut to the server's maximum. */
  readonly requestedExpiry: number | undefined
}

/** Checks every parameter of an authentication request (CIBA Core 7.1, 7.2). The checks are made in this order. */
export async function parseRequest(ctx: Context, parameters: Parameters, client: RegisteredClient): Promise<Asked> {
  const scope = readScope(ctx, parameters.scope, client)
  const target = await readTarget(ctx, parameters, client)
  const grantManagement = readGrantManagement(ctx, parameters)
  const hint = theOneHint(parameters)
  const notificationToken = readNotificationToken(parameters.client_notification_token, client)
  const requestedExpiry = readExpiry(parameters.requested_expiry)
  const given = {
    sentEmpty: parameters.sentEmpty.has('binding_message'),
    explained: target.authorizationDetails !== undefined,
  }
  const acrValues = readAcrValues(ctx, parameters.acr_values, target.claims, client)
  const bindingMessage = checkBindingMessage(ctx, parameters.binding_message, given, ctx.rules.requireContext)
  const context = parameters.request_context === undefined ? undefined : readContext(parameters.request_context)
  const { default_max_age: maxAge, require_auth_time } = client.metadata
  const details = omitUndefined({
    scope,
    resources: target.resources,
    authorizationDetails: target.authorizationDetails,
    claims: target.claims,
    grantManagementAction: grantManagement.action,
    grantId: grantManagement.grantId,
    acrValues,
    maxAge,
    requireAuthTime: require_auth_time || maxAge !== undefined ? (true as const) : undefined,
    bindingMessage,
    requestContext: context?.all,
  })
  return { details, hint, context, userCode: parameters.user_code, notificationToken, requestedExpiry }
}

// RFC 6749 3.3
const scopeSyntax = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/

function readScope({ settings }: Context, value: string | undefined, client: RegisteredClient): readonly string[] {
  if (value === undefined) throw invalidRequest('scope is missing')
  if (!scopeSyntax.test(value)) throw invalidScope('scope is malformed')
  const scope = [...new Set(value.split(' '))]
  if (!scope.includes('openid')) throw invalidScope('scope must contain openid')
  for (const each of scope) {
    if (!settings.requests.scopes.includes(each)) throw invalidScope('scope holds a value that is not supported')
    if (client.scope !== undefined && !client.scope.has(each)) {
      throw invalidScope('scope holds a value that this client is not registered for')
    }
  }
  return scope
}

/** What a request may be for besides its scope. */
interface Target {
  readonly resources?: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  readonly claims?: RequestDetails['claims'] | undefined
}

/** `resource` (RFC 8707), `authorization_details` (RFC 9396) and `claims` (OpenID Connect Core 5.5). */
async function readTarget(ctx: Context, parameters: Parameters, client: RegisteredClient): Promise<Target> {
  const { resources: uris, authorization_details, claims: requested } = parameters
  const resources = uris.length === 0 ? {} : { resources: await readResources(ctx, uris, client) }
  const authorizationDetails =
    authorization_details === undefined ? undefined : readAuthorizationDetails(ctx, authorization_details, client)
  const claims = requested === undefined ? undefined : readClaims(requested)
  if (claims !== undefined) requireReachableAcr(ctx, claims)
  return { ...resources, authorizationDetails, claims }
}

/** An essential `acr` that no login here reaches would fail after the user was asked (OpenID Connect Core 5.5.1.1). */
function requireReachableAcr({ settings }: Context, claims: RequestDetails['claims']): void {
  const acrs = isEssential(claims, 'acr') ? requestedAcrs(claims) : undefined
  if (acrs === undefined || acrs.some((acr) => settings.requests.acrValues.includes(acr))) return
  throw new BackchannelError('access_denied', 'No login here reaches the acr that is essential')
}

/** The host's own issuer of tokens manages grants. Without one these parameters are unknown ones. */
function readGrantManagement(
  { tokenHooks }: Context,
  { grant_management_action: action, grant_id: grantId }: Parameters,
): { readonly action?: string | undefined; readonly grantId?: string | undefined } {
  if (tokenHooks.issue === undefined) return {}
  if (action !== undefined && action !== 'create' && action !== 'replace' && action !== 'merge') {
    throw invalidRequest('grant_management_action must be create, replace or merge')
  }
  if (grantId !== undefined && (typeof grantId !== 'string' || grantId.length > 512)) {
    throw invalidRequest('grant_id must be a string of 512 characters at most')
  }
  const needsId = action === 'replace' || action === 'merge'
  if (needsId !== (grantId !== undefined)) {
    throw invalidRequest('grant_id goes with the grant_management_action replace or merge')
  }
  return { action, grantId }
}

const hintNames = ['login_hint', 'login_hint_token', 'id_token_hint'] as const

/** Exactly one of the three, counted before anybody is looked up (CIBA Core 7.1, 7.2). */
function theOneHint(parameters: Parameters): HintParameter {
  const sent = hintNames.filter((name) => parameters[name] !== undefined)
  const [name] = sent
  const value = name && parameters[name]
  if (name !== undefined && value !== undefined && sent.length === 1) return { name, value }
  throw invalidRequest('Send exactly one of login_hint, login_hint_token and id_token_hint')
}

// RFC 6750 2.1, CIBA Core 7.1: at most 1024 characters; fewer than 22 cannot hold the required 128 bits
const bearerSyntax = /^[A-Za-z0-9\-._~+/]+=*$/

function readNotificationToken(value: string | undefined, client: RegisteredClient): string | undefined {
  if (client.deliveryMode === 'poll') return undefined
  if (value === undefined) throw invalidRequest('client_notification_token is missing')
  if (value.length > 1024 || value.length < 22 || !bearerSyntax.test(value)) {
    throw invalidRequest('client_notification_token must be 22 to 1024 characters of bearer token syntax')
  }
  return value
}

/** A form has digits; a signed request may have a number. */
function readExpiry(value: unknown): number | undefined {
  if (value === undefined) return undefined
  const seconds = typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : value
  if (typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw invalidRequest('requested_expiry must be a positive whole number of seconds')
}

/** The classes that the login is to reach: as the request says, else as the client is registered. Those we know remain. */
function readAcrValues(
  { settings }: Context,
  acrValues: string | undefined,
  claims: RequestDetails['claims'],
  { metadata }: RegisteredClient,
): readonly string[] | undefined {
  const requested = claims === undefined ? undefined : requestedAcrs(claims)
  const asked = acrValues?.split(' ') ?? requested ?? metadata.default_acr_values
  const supported = asked?.filter((acr) => settings.requests.acrValues.includes(acr))
  return supported?.length ? supported : undefined
}

function invalidScope(description: string): BackchannelError {
  return new BackchannelError('invalid_scope', description)
}
