import type { Client } from '../../contracts/contracts.ts'
import { contextOf, type Vault } from '../../core/crypto/vault.ts'
import type { Emit } from '../../core/events.ts'
import type { Outbound, Posted } from '../../core/outbound/outbound.ts'
import { OutboundError } from '../../core/outbound/outboundError.ts'
import type { RequestRecord } from '../../core/request.ts'

/** What came of a call to a client's notification endpoint. */
export type Called =
  | { readonly outcome: 'accepted' }
  /** Nothing will change by trying again. */
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string; readonly afterMs?: number }

/** Tells a client of its request. Rejects when something of ours fails; that is tried again. */
export type CallClient = (
  record: RequestRecord,
  client: Client | undefined,
  attempt: number,
  body: object,
) => Promise<Called>

export interface CallParts {
  readonly emit: Emit
  readonly vault: Vault
  post: Outbound['post']
}

/** Calls notification endpoints (CIBA Core 9): JSON by POST, with the request's own bearer token. */
export function createCall({ emit, vault, post }: CallParts): CallClient {
  return async (record, client, attempt, body) => {
    const { sealedNotificationToken, notificationEndpoint } = record.details
    const endpoint = client?.metadata.backchannel_client_notification_endpoint
    if (client === undefined) return refuse(record, attempt, 'client_gone')
    if (endpoint === undefined || sealedNotificationToken === undefined) return refuse(record, attempt, 'no_endpoint')
    const about = { request: record.id, clientId: record.clientId, mode: modeOf(record) }
    if (attempt === 1 && endpoint !== notificationEndpoint) emit({ type: 'delivery.endpoint_changed', ...about })
    const token = vault.open(sealedNotificationToken, contextOf('notificationToken', record.id))
    try {
      const answer = await post(endpoint, {
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      })
      emit({ type: 'delivery.tried', ...about, attempt, status: answer.status })
      const called = calledOf(answer)
      if (called.outcome !== 'accepted') emit({ type: 'delivery.failed', ...about, attempt, reason: called.reason })
      return called
    } catch (cause) {
      if (!(cause instanceof OutboundError)) throw cause
      emit({ type: 'delivery.tried', ...about, attempt })
      emit({ type: 'delivery.failed', ...about, attempt, reason: cause.code, cause })
      return { outcome: cause.code === 'forbidden' ? 'refused' : 'failed', reason: cause.code }
    }
  }

  function refuse(record: RequestRecord, attempt: number, reason: string): Called {
    const { id: request, clientId } = record
    emit({ type: 'delivery.failed', request, clientId, mode: modeOf(record), attempt, reason })
    return { outcome: 'refused', reason }
  }
}

export function modeOf(record: RequestRecord): 'ping' | 'push' {
  return record.deliveryMode === 'push' ? 'push' : 'ping'
}

/** CIBA Core 10.2 leaves 4xx and 5xx open: a server in trouble may recover, a refusal stands, redirects are not followed. */
function calledOf({ status, retryAfterMs }: Posted): Called {
  if (status >= 200 && status < 300) return { outcome: 'accepted' }
  const reason = `status_${status}`
  if (status !== 429 && status < 500) return { outcome: 'refused', reason }
  return { outcome: 'failed', reason, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) }
}
