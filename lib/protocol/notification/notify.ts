import type { DeliveryJob, DeliveryResult, Undelivered } from '../../contracts/queue.ts'
import type { RequestRecord } from '../../contracts/request.ts'
import type { Context } from '../../core/context.ts'
import { reportFault } from '../../core/events.ts'
import { omitUndefined } from '../../core/json.ts'
import { readAuthReqId } from '../../core/lookup.ts'
import { isExpired, jobOf } from '../../core/request.ts'
import { errorBody, refusalBody } from './body.ts'
import { type Called, callClient, modeOf } from './callClient.ts'
import { dropTokens, handedOver, settledTokens, takeTokens } from './pushedTokens.ts'

type NotAccepted = Exclude<Called, { outcome: 'accepted' }>

const end: DeliveryResult = { next: 'end' }
const sleep: DeliveryResult = { next: 'sleep' }

/** Keeps the job of a request that was just stored. Rejects when the queue cannot. */
export function keepJob(ctx: Context, record: RequestRecord): Promise<void> {
  return ctx.queue.add(jobOf(record))
}

/**
 * Tells the client of a stored answer, not awaited: pings and pushes by the queue, held polls by the long poll.
 * Never throws, and may be called again for the same answer.
 */
export function announce(ctx: Context, record: RequestRecord): void {
  // requests with a ticket are delivered by the backend that holds it
  const isDelivered = record.deliveryMode !== 'poll' && record.ticketHash === undefined
  if (isDelivered) ctx.background.run(() => wake(ctx, record))
  // where another process does not hear of the answer, its client's next poll finds it
  ctx.longPoll?.answered(record.id).catch((thrown) => reportFault(ctx.emit, thrown))
}

/**
 * One run of a delivery job: a ping (CIBA Core 10.2), a push (10.3) or a push error (12). Never rejects: what
 * fails here is tried again.
 */
export async function runDelivery(ctx: Context, job: DeliveryJob, attempt: number): Promise<DeliveryResult> {
  try {
    const record = await ctx.store.find(job.request)
    if (record === undefined || record.deliveryMode === 'poll') return end
    const authReqId = readAuthReqId(ctx, record)
    if (authReqId === undefined) return await park(ctx, record, 'unreadable')
    return await (record.deliveryMode === 'push' ? push : ping)(ctx, record, attempt, authReqId)
  } catch (thrown) {
    reportFault(ctx.emit, thrown)
    return { next: 'retry' }
  }
}

async function ping(ctx: Context, record: RequestRecord, attempt: number, authReqId: string): Promise<DeliveryResult> {
  const isOver = isExpired(record, ctx.clock())
  if (record.answer === undefined) return isOver ? expired(ctx, record) : sleep
  if (record.status === 'redeemed') return end // the client has polled in the meantime
  if (isOver) return attempt === 1 ? end : giveUp(ctx, record, 'expired')
  return tell(ctx, record, attempt, { auth_req_id: authReqId })
}

async function push(ctx: Context, record: RequestRecord, attempt: number, authReqId: string): Promise<DeliveryResult> {
  const { answer, status } = record
  const isOver = isExpired(record, ctx.clock())
  if (answer === undefined) return isOver ? pushExpired(ctx, record, attempt, authReqId) : sleep
  if (status === 'delivered') return end
  if (answer.result !== 'approved') {
    if (isOver) return attempt === 1 ? end : giveUp(ctx, record, 'expired')
    return tell(ctx, record, attempt, refusalBody(answer, authReqId, record))
  }
  if (isOver) return giveUp(ctx, record, 'expired')
  if (!(await ctx.users.isActive(answer.sub))) {
    await dropTokens(ctx, record)
    const text = 'The user may not sign in any more'
    return tell(ctx, record, attempt, errorBody('access_denied', text, authReqId))
  }
  return pushTokens(ctx, record, attempt, authReqId, answer.sub)
}

async function pushTokens(
  ctx: Context,
  record: RequestRecord,
  attempt: number,
  authReqId: string,
  sub: string,
): Promise<DeliveryResult> {
  const client = await ctx.clients.find(record.clientId)
  if (client === undefined) return giveUp(ctx, record, 'client_gone')
  const tokens = await takeTokens(ctx, record, client, authReqId)
  if (tokens === undefined) return { next: 'retry' } // delivered or expired meanwhile: the next run finds out which
  const called = await callClient(ctx, record, client, attempt, { auth_req_id: authReqId, ...tokens })
  if (called.outcome !== 'accepted') return notAccepted(ctx, record, called)
  // the client has accepted: if the sealed tokens cannot be erased now, they end with the record
  await handedOver(ctx, record).catch(() => {})
  ctx.emit({ type: 'request.delivered', request: record.id, clientId: record.clientId, sub })
  return end
}

/** Tells the client everything but tokens: a ping, or a push error. */
async function tell(ctx: Context, record: RequestRecord, attempt: number, body: object): Promise<DeliveryResult> {
  const called = await callClient(ctx, record, await ctx.clients.find(record.clientId), attempt, body)
  return called.outcome === 'accepted' ? end : notAccepted(ctx, record, called)
}

/** CIBA Core 12 leaves open whether the client is told of an expiry: it is told once, and no failure is tried again. */
async function pushExpired(
  ctx: Context,
  record: RequestRecord,
  attempt: number,
  authReqId: string,
): Promise<DeliveryResult> {
  const body = errorBody('expired_token', 'The request has expired', authReqId)
  await callClient(ctx, record, await ctx.clients.find(record.clientId), attempt, body)
  return expired(ctx, record)
}

async function notAccepted(ctx: Context, record: RequestRecord, called: NotAccepted): Promise<DeliveryResult> {
  if (called.outcome === 'refused') return giveUp(ctx, record, called.reason)
  return omitUndefined({ next: 'retry' as const, afterMs: called.afterMs })
}

function expired(ctx: Context, { id, clientId }: RequestRecord): DeliveryResult {
  ctx.emit({ type: 'request.expired', request: id, clientId })
  return end
}

/** The client will not be told. Tokens of a push are revoked. */
async function giveUp(ctx: Context, record: RequestRecord, reason: string): Promise<DeliveryResult> {
  await dropTokens(ctx, record).catch((thrown) => reportFault(ctx.emit, thrown))
  return park(ctx, record, reason)
}

async function park(ctx: Context, record: RequestRecord, reason: string): Promise<DeliveryResult> {
  const undelivered: Undelivered = { request: record.id, clientId: record.clientId, mode: modeOf(record), reason }
  await ctx.hooks.onUndelivered(undelivered)
  ctx.emit({ type: 'delivery.given_up', ...undelivered })
  return { next: 'park', reason }
}

async function wake(ctx: Context, record: RequestRecord): Promise<void> {
  await settledTokens(ctx, record.id) // so that the job finds them made
  await ctx.queue.wake(jobOf(record))
}
