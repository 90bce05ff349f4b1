import type { Budgets, Context } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'

/** Callers remembered at a time; the oldest is forgotten first. */
const maxCallers = 10_000

/**
 * Before credentials are looked at: did this client fail too often, at the address that this call comes from? A client
 * cannot be locked out from another address, and not at all where the address is not known. Callers that have not
 * failed in this process cost no look-up.
 * @throws BackchannelError `invalid_client` 429
 */
export async function refuseLockedOut(ctx: Context, clientId: string, call: Call): Promise<void> {
  const { budgets } = ctx
  if (budgets.failedCallers.size === 0) return
  const key = callerOf(clientId, call)
  if (key === undefined || !budgets.failedCallers.has(key)) return
  const retryAfterMs = await budgets.retryAfterMs('failedAuthentications', key)
  if (retryAfterMs === undefined) return
  ctx.emit({ type: 'limit.hit', limit: 'failedAuthentications', clientId })
  throw new BackchannelError('invalid_client', 'Client authentication failed too often; try again later', {
    status: 429,
    headers: { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) },
  })
}

/** Counts a failed authentication. Never rejects: the caller is refused in any case. */
export async function countFailure({ budgets }: Context, clientId: string, call: Call): Promise<void> {
  const key = budgets.has('failedAuthentications') ? callerOf(clientId, call) : undefined
  if (key === undefined) return
  budgets.failedCallers.delete(key)
  budgets.failedCallers.add(key)
  await forgetOldest(budgets)
  await budgets.take(['failedAuthentications', key]).catch(() => {}) // the guard has reported the outage
}

/** Anybody may fail under any number of names, so only so many are remembered and counted. */
async function forgetOldest(budgets: Budgets): Promise<void> {
  const [oldest] = budgets.failedCallers
  if (budgets.failedCallers.size <= maxCallers || oldest === undefined) return
  budgets.failedCallers.delete(oldest)
  await budgets.clear('failedAuthentications', oldest).catch(() => {}) // the guard has reported the outage
}

function callerOf(clientId: string, call: Call): string | undefined {
  const address = call.address?.()
  return address === undefined ? undefined : JSON.stringify([clientId, address])
}
