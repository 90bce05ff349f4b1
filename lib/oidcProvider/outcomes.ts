import type { DeliveryJob, DeliveryQueue, DeliveryResult } from '../contracts/queue.ts'
import type { RequestRecord } from '../contracts/request.ts'
import type { AskContext } from '../core/context.ts'
import { reportFault } from '../core/events.ts'
import { readAuthReqId } from '../core/lookup.ts'
import { isExpired, jobOf } from '../core/request.ts'
import { tellResult } from './result.ts'
import type { ProviderServer } from './types.ts'

const end: DeliveryResult = { next: 'end' }
const sleep: DeliveryResult = { next: 'sleep' }

/** Keeps the job of a request that was just stored. Rejects when the queue cannot. */
export function keepJob(queue: DeliveryQueue, record: RequestRecord): Promise<void> {
  return queue.add(jobOf(record))
}

/** Lets oidc-provider be told of a stored answer. Not awaited by the page or the endpoint that took the answer. */
export function announce(ctx: AskContext, queue: DeliveryQueue, record: RequestRecord): void {
  ctx.background.run(() => queue.wake(jobOf(record)))
}

/** One run of a job: oidc-provider is told of the answer, and told again until it is stored there. Never rejects. */
export async function runDelivery(
  ctx: AskContext,
  server: ProviderServer,
  job: DeliveryJob,
  attempt: number,
): Promise<DeliveryResult> {
  try {
    const record = await ctx.store.find(job.request)
    return record === undefined ? end : await deliver(ctx, server, record, attempt)
  } catch (thrown) {
    reportFault(ctx.emit, thrown)
    return { next: 'retry' }
  }
}

async function deliver(
  ctx: AskContext,
  server: ProviderServer,
  record: RequestRecord,
  attempt: number,
): Promise<DeliveryResult> {
  const { id, clientId, answer } = record
  const authReqId = readAuthReqId(ctx, record)
  if (authReqId === undefined) return giveUp(ctx, record, 'unreadable')
  const isOver = isExpired(record, ctx.clock())
  if (answer === undefined) {
    if (!isOver) return sleep
    ctx.emit({ type: 'request.expired', request: id, clientId })
    return end
  }
  if (isOver) return attempt === 1 ? end : giveUp(ctx, record, 'expired')
  const isTold = await tellResult(ctx, server, { ...record, answer }, authReqId, attempt)
  return isTold ? end : giveUp(ctx, record, 'request_gone')
}

async function giveUp(ctx: AskContext, { id, clientId }: RequestRecord, reason: string): Promise<DeliveryResult> {
  const undelivered = { request: id, clientId, mode: 'ping', reason } as const
  await ctx.hooks.onUndelivered(undelivered)
  ctx.emit({ type: 'delivery.given_up', ...undelivered })
  return { next: 'park', reason }
}
