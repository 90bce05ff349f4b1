import type { RequestRecord } from '../../contracts/request.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { aad } from '../../core/crypto/vault.ts'
import { omitUndefined } from '../../core/json.ts'
import { observe } from '../../core/observe.ts'
import { OutboundError, type Posted } from '../../core/outbound/outbound.ts'

/** What came of a call to a client's notification endpoint. */
export type Called =
  | { readonly outcome: 'accepted' }
  /** Nothing will change by trying again. */
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string; readonly afterMs?: number }

/**
 * Calls a client's notification endpoint (CIBA Core 9): JSON by POST, with the request's own bearer token.
 * @param attempt Counts the tries from 1.
 * @throws what fails in the server itself; that is tried again.
 */
export async function callClient(
  ctx: Context,
  record: RequestRecord,
  client: Client | undefined,
  attempt: number,
  body: object,
): Promise<Called> {
  const { sealedNotificationToken, notificationEndpoint } = record.details
  const about = { request: record.id, clientId: record.clientId, mode: modeOf(record) }
  const refuse = (reason: string): Called => {
    ctx.emit({ type: 'delivery.failed', ...about, attempt, reason })
    return { outcome: 'refused', reason }
  }
  if (client === undefined) return refuse('client_gone')
  const endpoint = client.metadata.backchannel_client_notification_endpoint
  if (endpoint === undefined || sealedNotificationToken === undefined) return refuse('no_endpoint')
  if (attempt === 1 && endpoint !== notificationEndpoint) ctx.emit({ type: 'delivery.endpoint_changed', ...about })
  const token = ctx.vault.open(sealedNotificationToken, aad('notificationToken', record.id))
  try {
    const answer = await post(ctx, endpoint, token, body)
    ctx.emit({ type: 'delivery.tried', ...about, attempt, status: answer.status })
    const called = calledOf(answer)
    if (called.outcome !== 'accepted') ctx.emit({ type: 'delivery.failed', ...about, attempt, reason: called.reason })
    return called
  } catch (cause) {
    if (!(cause instanceof OutboundError)) throw cause
    ctx.emit({ type: 'delivery.tried', ...about, attempt })
    ctx.emit({ type: 'delivery.failed', ...about, attempt, reason: cause.code, cause })
    return { outcome: cause.code === 'forbidden' ? 'refused' : 'failed', reason: cause.code }
  }
}

export function modeOf({ deliveryMode }: RequestRecord): 'ping' | 'push' {
  return deliveryMode === 'push' ? 'push' : 'ping'
}

function post(ctx: Context, endpoint: string, token: string, body: object): Promise<Posted> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const call = () => ctx.outbound.post(endpoint, { headers, body: JSON.stringify(body) })
  return observe(ctx.telemetry, 'delivery', call, (cause) => ctx.emit({ type: 'fault', cause }))
}

/** CIBA Core 10.2 leaves 4xx and 5xx open: 429 and 5xx are tried again, others stand, redirects are not followed. */
function calledOf({ status, retryAfterMs }: Posted): Called {
  if (status >= 200 && status < 300) return { outcome: 'accepted' }
  const reason = `status_${status}`
  if (status !== 429 && status < 500) return { outcome: 'refused', reason }
  return omitUndefined({ outcome: 'failed' as const, reason, afterMs: retryAfterMs })
}
