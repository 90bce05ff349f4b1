import type { Answer, RequestRecord } from '../../contracts/request.ts'
import type { AskContext } from '../../core/context.ts'
import { invalidRequest, notFound } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { isExpired } from '../../core/request.ts'
import { checkDecision, expired } from './check.ts'
import { type Decision, userIn } from './decision.ts'
import { carryOut, carryOutAgain, carryOutMissing } from './effects.ts'

/** The most ids that `ctx.unsettled` holds; the oldest ones leave first. */
const maxUnsettled = 10_000

export interface CompleteOptions {
  /** The decision says who the user is, where the request does not know it yet (tickets). Defaults to `false`. */
  readonly namesUser?: boolean
}

/**
 * Settles a request: the only door out of `pending`. The decision is checked, the answer is stored, then its effects
 * are carried out. One answer stands; repeating it is no error.
 *
 * @throws BackchannelError everything of `checkDecision`, and then the request stays open; `invalid_request` 404 (gone)
 * and 409 (answered before, otherwise); `expired_token` 410; `temporarily_unavailable` 503 (no reply from the store: it
 * may be stored all the same, and the same decision again says so).
 */
export async function complete(
  ctx: AskContext,
  record: RequestRecord,
  decision: Decision,
  { namesUser = false }: CompleteOptions = {},
): Promise<RequestRecord> {
  const mayName = namesUser && record.sub === undefined
  const answer = await checkDecision(ctx, record, decision, ctx.clock(), mayName)
  const sub = mayName ? userIn(decision) : undefined
  const now = ctx.clock() // the host's hooks may have taken long: nothing is stored after the end
  const settled = await store(ctx, record.id, answer, sub, now)
  if (settled === undefined) throw notFound()
  if (!settled.moved) return repeat(ctx, settled.record, answer, now)
  ctx.unsettled.delete(record.id)
  await carryOut(ctx, settled.record)
  return settled.record
}

/** Ends a request that no usable answer will come to: `undeliverable`, `cancelled`, … */
export async function failRequest(ctx: AskContext, record: RequestRecord, reason: string): Promise<void> {
  await complete(ctx, record, { result: 'failed', reason })
}

/** Stores the answer. Without a reply of the store it may be stored all the same, and then its effects are missing. */
async function store(ctx: AskContext, id: string, answer: Answer, sub: string | undefined, now: number) {
  try {
    const changes = omitUndefined({ answer, sub })
    return await ctx.store.move(id, { from: 'pending', to: answer.result, changes, now })
  } catch (thrown) {
    const [oldest] = ctx.unsettled
    if (oldest !== undefined && ctx.unsettled.size >= maxUnsettled) ctx.unsettled.delete(oldest)
    ctx.unsettled.add(id)
    throw thrown
  }
}

/** The request was settled before: the same answer again is fine, another one is not. */
async function repeat(ctx: AskContext, record: RequestRecord, answer: Answer, now: number): Promise<RequestRecord> {
  if (record.answer === undefined && isExpired(record, now)) throw expired()
  const isSame = record.answer?.result === answer.result && subOf(record.answer) === subOf(answer)
  if (!(await carryOutMissing(ctx, record)) && isSame) await carryOutAgain(ctx, record)
  if (!isSame) throw invalidRequest('The request was answered before', { status: 409 })
  return record
}

function subOf(answer: Answer): string | undefined {
  return answer.result === 'approved' ? answer.sub : undefined
}
