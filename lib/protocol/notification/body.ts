import type { Refusal, RequestRecord } from '../../contracts/request.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { aad } from '../../core/crypto/vault.ts'
import { printable } from '../../core/errors.ts'
import { reportFault } from '../../core/events.ts'
import { omitUndefined } from '../../core/json.ts'
import { takeTokens } from './pushedTokens.ts'

/** What the client of a ping or push request is told of its answer, for a backend that delivers it itself. */
export interface ClientNotification {
  readonly endpoint?: string | undefined
  /** The bearer token of the call. */
  readonly token?: string | undefined
  /** Absent when tokens could not be made, or have been handed over before. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
}

/** Says what a client is told of its answer. The tokens of a push are made now, and the same ones are sent later. */
export async function notificationOf(
  ctx: Context,
  record: RequestRecord,
  client: Client | undefined,
  authReqId: string,
): Promise<ClientNotification> {
  const { sealedNotificationToken, notificationEndpoint } = record.details
  return {
    endpoint: client?.metadata.backchannel_client_notification_endpoint ?? notificationEndpoint,
    token: sealedNotificationToken && ctx.vault.open(sealedNotificationToken, aad('notificationToken', record.id)),
    body: await bodyOf(ctx, record, client, authReqId),
  }
}

/** The body of a push error (CIBA Core 12). */
export function errorBody(error: string, description: string, authReqId: string, uri?: string): object {
  return omitUndefined({ error, error_description: printable(description), error_uri: uri, auth_req_id: authReqId })
}

/** What is pushed when there will be no tokens. */
export function refusalBody(
  { result, errorDescription, errorUri }: Refusal,
  authReqId: string,
  { ticketHash }: Pick<RequestRecord, 'ticketHash'>,
): object {
  if (result === 'denied') {
    return errorBody('access_denied', errorDescription ?? 'The user declined', authReqId, errorUri)
  }
  // CIBA Core 12 has a code of its own for it; Authlete, whose contract tickets follow, says `expired_token`
  const code = ticketHash === undefined ? 'transaction_failed' : 'expired_token'
  return errorBody(code, errorDescription ?? 'The request ended without an answer', authReqId, errorUri)
}

async function bodyOf(
  ctx: Context,
  record: RequestRecord,
  client: Client | undefined,
  authReqId: string,
): Promise<ClientNotification['body']> {
  const { answer, deliveryMode, status } = record
  if (deliveryMode === 'ping') return { auth_req_id: authReqId }
  if (answer !== undefined && answer.result !== 'approved') return { ...refusalBody(answer, authReqId, record) }
  if (client === undefined || (status !== 'approved' && status !== 'delivering')) return undefined
  try {
    const tokens = await takeTokens(ctx, record, client, authReqId)
    return tokens && { auth_req_id: authReqId, ...tokens }
  } catch (thrown) {
    reportFault(ctx.emit, thrown) // they can be asked for again
    return undefined
  }
}
