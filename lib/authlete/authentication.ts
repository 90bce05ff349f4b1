import { z } from 'zod'
import type { Call, Client } from '../contracts/contracts.ts'
import { asBackchannelError } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { RequestDetails } from '../core/request.ts'
import type { About } from './about.ts'
import { callFrom, callMembers, type Place } from './call.ts'
import { anything, readMembers, text } from './fields.ts'
import { answer, wrongCall } from './results.ts'
import { authzDetails, capitals, scopes } from './shapes.ts'

/** A request that waits as a ticket. */
export interface Received {
  readonly ticket: string
  readonly client: Client
  readonly ask: {
    readonly details: RequestDetails
    readonly hint: { readonly name: string; readonly value: string }
    readonly userCode: string | undefined
    readonly notificationToken: string | undefined
    readonly requestedExpiry: number | undefined
  }
  /** The host's subject behind an `id_token_hint`. */
  readonly subject?: string
}

export interface AuthenticationParts {
  readonly place: Place
  readonly userCodes: boolean
  readonly emit: Emit
  readonly about: About
  receive(call: Call): Promise<Received>
  /** Claims that scope values stand for. */
  claimsOf(scope: readonly string[]): readonly string[]
}

const members = z.object({
  ...callMembers,
  oauthClientAttestation: text,
  oauthClientAttestationPop: text,
  cimdOptions: anything,
})

/** `/backchannel/authentication`: validates the client's request and opens a ticket. */
export function createAuthentication({ place, userCodes, emit, about, receive, claimsOf }: AuthenticationParts) {
  return async (body: unknown): Promise<object> => {
    const { parameters, ...handed } = readMembers(members, body)
    if (parameters === undefined) {
      const responseContent = JSON.stringify({ error: 'server_error' })
      return wrongCall('authentication', 'INTERNAL_SERVER_ERROR', 'parameters is missing', { responseContent })
    }
    try {
      const received = await receive(callFrom({ parameters, ...handed }, place))
      return answer('authentication', 'USER_IDENTIFICATION', 'The request is valid. Find its user.', {
        ...about(received.client.metadata),
        ...told(received),
        warnings: warningsFor(handed),
      })
    } catch (thrown) {
      const error = asBackchannelError(thrown)
      emit({ type: 'request.refused', error: error.code, cause: thrown })
      if (error !== thrown) emit({ type: 'fault', cause: thrown })
      const action =
        error.status >= 500 ? 'INTERNAL_SERVER_ERROR' : error.code === 'invalid_client' ? 'UNAUTHORIZED' : 'BAD_REQUEST'
      return answer('authentication', action, error.message, { responseContent: JSON.stringify(error) })
    }
  }

  function told({ ticket, client, ask, subject }: Received) {
    const { details, hint } = ask
    return {
      ticket,
      clientAuthMethod: capitals(client.authMethod),
      deliveryMode: capitals(client.deliveryMode),
      scopes: scopes(details.scope),
      claimNames: claimsOf(details.scope),
      clientNotificationToken: ask.notificationToken,
      acrs: details.acrValues,
      hintType: capitals(hint.name),
      hint: hint.value,
      sub: subject,
      bindingMessage: details.bindingMessage,
      userCode: ask.userCode,
      userCodeRequired: userCodes && client.metadata.backchannel_user_code_parameter === true,
      requestedExpiry: ask.requestedExpiry ?? 0,
      requestContext: details.requestContext && JSON.stringify(details.requestContext),
      resources: details.resources,
      authorizationDetails: authzDetails(details.authorizationDetails),
      gmAction: capitals(details.grantManagementAction),
      grantId: details.grantId,
    }
  }
}

const unsupported = ['oauthClientAttestation', 'oauthClientAttestationPop', 'cimdOptions'] as const

function warningsFor(handed: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const ignored = unsupported.filter((name) => handed[name] !== undefined)
  return ignored.length === 0 ? undefined : ignored.map((name) => `${name} is not supported and was ignored`)
}
