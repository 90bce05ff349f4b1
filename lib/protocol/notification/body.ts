import type { Client } from '../../contracts/contracts.ts'
import { contextOf, type Vault } from '../../core/crypto/vault.ts'
import { BackchannelError, printable } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { present } from '../../core/omitUndefined.ts'
import type { Refusal, RequestRecord } from '../../core/request.ts'
import type { createTokens } from './pushedTokens.ts'

/** What the client of a ping or push request is being told of its answer. */
export interface Notification {
  readonly authReqId: string
  readonly endpoint?: string | undefined
  readonly token?: string | undefined
  /** Absent when tokens could not be made, or have been handed over before. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
}

export interface NotificationParts {
  readonly emit: Emit
  readonly vault: Vault
  findClient(clientId: string): Promise<Client | undefined>
  readonly tokens: Pick<ReturnType<typeof createTokens>, 'take'>
}

/** Says what a client is being told. The tokens of a push are made here and now; the same ones are sent. */
export function createNotificationOf({ emit, vault, findClient, tokens }: NotificationParts) {
  return async (record: RequestRecord): Promise<Notification> => {
    const { sealedNotificationToken } = record.details
    // an outage has been reported; the delivery will ask again
    const client = await findClient(record.clientId).catch(() => undefined)
    const authReqId = authReqIdOf(record, vault)
    return {
      authReqId,
      endpoint: client?.metadata.backchannel_client_notification_endpoint ?? record.details.notificationEndpoint,
      token: sealedNotificationToken && vault.open(sealedNotificationToken, contextOf('notificationToken', record.id)),
      body: await bodyOf(record, client, authReqId),
    }
  }

  async function bodyOf(record: RequestRecord, client: Client | undefined, authReqId: string) {
    const { answer, deliveryMode, status } = record
    if (deliveryMode === 'ping') return { auth_req_id: authReqId }
    if (answer !== undefined && answer.result !== 'approved') return refusalBody(answer, authReqId, record)
    if (client === undefined || (status !== 'approved' && status !== 'delivering')) return undefined
    try {
      const payload = await tokens.take(record, client, authReqId)
      return payload && { auth_req_id: authReqId, ...payload }
    } catch (thrown) {
      // the delivery will try again; an outage has been reported where it happened
      if (!(thrown instanceof BackchannelError)) emit({ type: 'fault', cause: thrown })
      return undefined
    }
  }
}

/** The body of a push error (CIBA Core 12). */
export function errorBody(error: string, description: string, authReqId: string, uri?: string) {
  return present({ error, error_description: printable(description), error_uri: uri, auth_req_id: authReqId })
}

/** What is pushed when there will be no tokens. */
export function refusalBody(
  { result, errorDescription, errorUri }: Refusal,
  authReqId: string,
  { ticketHash }: Pick<RequestRecord, 'ticketHash'>,
) {
  if (result === 'denied')
    return errorBody('access_denied', errorDescription ?? 'The user declined', authReqId, errorUri)
  // CIBA Core 12 has a word of its own for it; Authlete, whose contract tickets follow, says this
  const failed = ticketHash === undefined ? 'transaction_failed' : 'expired_token'
  return errorBody(failed, errorDescription ?? 'The request ended without an answer', authReqId, errorUri)
}

export function authReqIdOf({ id, details }: RequestRecord, vault: Vault): string {
  return vault.open(details.sealedAuthReqId ?? '', contextOf('authReqId', id))
}
