import { z } from 'zod'
import type { Context } from '../core/context.ts'
import { asBackchannelError } from '../core/errors.ts'
import { errorOf } from '../core/events.ts'
import { claimsOfScope } from '../protocol/authorization/claims.ts'
import { sendsUserCode } from '../protocol/request/user.ts'
import { callFrom, callMembers } from './call.ts'
import { anything, readMembers, text } from './fields.ts'
import type { ManagementOptions } from './options.ts'
import { answer, serverError, wrongCall } from './results.ts'
import { about, authzDetails, capitals, scopes } from './shapes.ts'
import { type Received, receive } from './ticket.ts'

const members = z.object({
  ...callMembers,
  oauthClientAttestation: text,
  oauthClientAttestationPop: text,
  cimdOptions: anything,
})

/** `/backchannel/authentication`: validates the client's request and opens a ticket. */
export async function authenticationApi(ctx: Context, options: ManagementOptions, body: unknown): Promise<object> {
  const { parameters, ...handed } = readMembers(members, body)
  if (parameters === undefined) {
    return wrongCall('authentication', 'INTERNAL_SERVER_ERROR', 'parameters is missing', {
      responseContent: serverError,
    })
  }
  try {
    const received = await receive(ctx, callFrom(ctx, { parameters, ...handed }, ctx.urls.backchannel))
    return answer('authentication', 'USER_IDENTIFICATION', 'The request is valid. Find its user.', {
      ...about(options, received.client.metadata),
      ...toldOf(ctx, received),
      warnings: warningsFor(handed),
    })
  } catch (thrown) {
    return refused(ctx, thrown)
  }
}

function toldOf(ctx: Context, { ticket, client, deliveryMode, asked, subject }: Received) {
  const { details, hint } = asked
  return {
    ticket,
    clientAuthMethod: capitals(client.authMethod),
    deliveryMode: capitals(deliveryMode),
    scopes: scopes(details.scope),
    claimNames: claimsOfScope(ctx, details.scope),
    clientNotificationToken: asked.notificationToken,
    acrs: details.acrValues,
    hintType: capitals(hint.name),
    hint: hint.value,
    sub: subject,
    bindingMessage: details.bindingMessage,
    userCode: asked.userCode,
    userCodeRequired: sendsUserCode(ctx, client),
    requestedExpiry: asked.requestedExpiry ?? 0,
    requestContext: details.requestContext && JSON.stringify(details.requestContext),
    resources: details.resources,
    authorizationDetails: authzDetails(details.authorizationDetails),
    gmAction: capitals(details.grantManagementAction),
    grantId: details.grantId,
  }
}

function refused(ctx: Context, thrown: unknown): object {
  ctx.emit({ type: 'request.refused', error: asBackchannelError(thrown).code, cause: thrown })
  const error = errorOf(ctx.emit, thrown)
  const action =
    error.status >= 500 ? 'INTERNAL_SERVER_ERROR' : error.code === 'invalid_client' ? 'UNAUTHORIZED' : 'BAD_REQUEST'
  return answer('authentication', action, error.message, { responseContent: JSON.stringify(error) })
}

const unsupported = ['oauthClientAttestation', 'oauthClientAttestationPop', 'cimdOptions'] as const

function warningsFor(handed: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const ignored = unsupported.filter((name) => handed[name] !== undefined)
  return ignored.length === 0 ? undefined : ignored.map((name) => `${name} is not supported and was ignored`)
}
