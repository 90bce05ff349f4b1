import type { Answer, RequestRecord } from '../../contracts/request.ts'
import type { AskContext } from '../../core/context.ts'
import { omitUndefined } from '../../core/json.ts'
import { once } from '../../core/replay.ts'
import { block } from '../limits/blocks.ts'
import { recordAnswer } from '../limits/prompts.ts'

/**
 * Carries out everything that follows from an answer once it is stored. Never rejects: the answer stands, and what
 * fails here becomes an event. Resolves when the client is blocked, where the user did not start the request.
 */
export async function carryOut(ctx: AskContext, record: RequestRecord): Promise<void> {
  const { id, clientId, sub, answer } = record
  if (answer === undefined) return
  emitAnswer(ctx, record, answer)
  ctx.outcomes.announce(record)
  // not awaited, and its guard has reported an outage
  if (answer.result !== 'failed') recordAnswer(ctx, record, answer.result).catch(() => {})
  ctx.hooks.onAnswer(id, answer)
  if (isNotMe(answer)) ctx.emit(omitUndefined({ type: 'request.not_me' as const, request: id, clientId, sub }))
  await blockAfter(ctx, record, answer)
}

/**
 * Carries out the effects of a stored answer if they are missing, because its decision got no reply from the store.
 * Tells whether they were.
 */
export async function carryOutMissing(ctx: AskContext, record: RequestRecord): Promise<boolean> {
  if (record.answer === undefined || !ctx.unsettled.delete(record.id)) return false
  await carryOut(ctx, record)
  return true
}

/**
 * Carries out what may happen once more when an answer is repeated, should the process that took it have ended before.
 * Once, as every further call would call the client, too. Events, counts and `onAnswer` do not follow.
 */
export async function carryOutAgain(ctx: AskContext, record: RequestRecord): Promise<void> {
  const { answer } = record
  // an outage has been reported by the store's guard, and the answer stands
  const isFirst = await once(ctx, 'repeat', record.id, record.keptUntil).catch(() => false)
  if (answer === undefined || !isFirst) return
  ctx.outcomes.announce(record)
  await blockAfter(ctx, record, answer)
}

function emitAnswer(ctx: AskContext, { id: request, clientId }: RequestRecord, answer: Answer): void {
  if (answer.result === 'approved') {
    ctx.emit({ type: 'request.approved', request, clientId, sub: answer.sub })
  } else {
    const type = answer.result === 'denied' ? ('request.denied' as const) : ('request.failed' as const)
    ctx.emit(omitUndefined({ type, request, clientId, reason: answer.reason }))
  }
}

/** "I did not start this" keeps the client from asking that user again. */
async function blockAfter(ctx: AskContext, { clientId, sub }: RequestRecord, answer: Answer): Promise<void> {
  if (!isNotMe(answer) || sub === undefined) return
  await block(ctx, { clientId, sub }).catch(() => {}) // its guard has reported the outage
}

function isNotMe(answer: Answer): boolean {
  return answer.result === 'denied' && answer.reason === 'not_me'
}
