import type { Pair } from '../../contracts/approval.ts'
import type { AskContext } from '../../core/context.ts'

/** Is this client kept from asking this user, who said "I did not start this"? An event tells when it is. */
export async function isBlocked(ctx: AskContext, { clientId, sub }: Pair): Promise<boolean> {
  const isKept = (await ctx.budgets.retryAfterMs('blocks', { clientId, sub })) !== undefined
  if (isKept) ctx.emit({ type: 'limit.hit', limit: 'notMe', clientId, sub })
  return isKept
}

/** Keeps a client from asking a user, for `limits.notMeBlockSeconds`. */
export function block(ctx: AskContext, pair: Pair): Promise<void> {
  return ctx.budgets.block('blocks', pair, ctx.settings.limits.notMeBlockSeconds)
}

/** Lets a client ask a user again. `false`: it was not kept from it. */
export function unblock(ctx: AskContext, pair: Pair): Promise<boolean> {
  return ctx.budgets.clear('blocks', pair)
}
