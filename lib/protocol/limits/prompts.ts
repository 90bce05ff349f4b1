import type { Pair } from '../../contracts/approval.ts'
import type { RequestRecord } from '../../contracts/request.ts'
import type { AskContext, BudgetName, Exhausted } from '../../core/context.ts'
import { hashOf } from '../../core/crypto/handles.ts'
import { BackchannelError } from '../../core/errors.ts'

/** Longest wait after a denial. */
const maxCoolDownSeconds = 3600

/** Who is about to be asked, by whom and where. */
export interface Prompt {
  readonly clientId: string
  /** The host's name for the user. Absent: no such user; the hint stands for them. */
  readonly sub: string | undefined
  /** Value of the hint. */
  readonly hint: string
  /** Address or number that the notice goes to. Absent: none is sent. */
  readonly to: string | undefined
}

/**
 * Counts a client's request, whatever it asks, and refuses a client that named too many users who do not exist.
 * @throws BackchannelError `access_denied` 429
 */
export async function admit(ctx: AskContext, { id }: { readonly id: string }): Promise<void> {
  const exhausted = await ctx.budgets.take(['requestsPerClient', id], ['failedHintsPerClient', id, 'look'])
  if (exhausted !== undefined) throw refusal(ctx, exhausted, 429, { clientId: id })
}

/** Counts a hint that names no user. */
export async function countFailedHint(ctx: AskContext, clientId: string): Promise<void> {
  await ctx.budgets.take(['failedHintsPerClient', clientId])
}

/**
 * Before a request is stored: may this user be asked by this client, and at this address, now?
 * @throws BackchannelError `access_denied` 403
 */
export async function countPrompt(ctx: AskContext, { clientId, sub, hint, to }: Prompt): Promise<void> {
  const counted = sub ?? unknownUser(hashOf(hint))
  const pair = { clientId, sub: counted }
  const about = sub === undefined ? { clientId } : { clientId, sub }
  const destination = to ? hashOf(to) : undefined
  const exhausted = await ctx.budgets.take(
    ['coolDowns', pair, 'look'],
    ['promptsPerClientAndUser', pair],
    ['promptsPerUser', counted],
    ...(destination === undefined
      ? []
      : ([
          ['noticesPerDestination', destination],
          ['noticesPerDestinationAndDay', destination],
        ] as const)),
  )
  if (exhausted !== undefined) throw refusal(ctx, exhausted, 403, about)
}

/**
 * Has a user who does not exist too many open requests? They are never answered, so each stays open until it expires.
 * Without this the limit of open requests would tell who exists.
 * @param hint Value of the hint.
 */
export async function hasTooManyOpen(ctx: AskContext, hint: string): Promise<boolean> {
  return (await ctx.budgets.take(['unknownUsers', hashOf(hint)])) !== undefined
}

/** The user answered: a denial makes the client wait, each time twice as long; an approval ends that. */
export async function recordAnswer(
  ctx: AskContext,
  { clientId, sub, hintHash }: Pick<RequestRecord, 'clientId' | 'sub' | 'hintHash'>,
  result: 'approved' | 'denied',
): Promise<void> {
  const { budgets, settings } = ctx
  // under the name that the prompt was counted under
  const counted = hintHash === undefined ? sub : unknownUser(hintHash)
  if (!budgets.has('coolDowns') || counted === undefined) return
  const pair = { clientId, sub: counted }
  if (result === 'approved') return void (await budgets.clear('denials', pair))
  const times = await budgets.count('denials', pair)
  await budgets.block('coolDowns', pair, Math.min(maxCoolDownSeconds, settings.limits.denialSeconds * 2 ** (times - 1)))
}

/** What a user is counted under whom the host has not found. No `sub` has a space. */
export function unknownUser(hintHash: string): string {
  return `? ${hintHash}`
}

/** Names of budgets in events, where these name the option instead. */
const limitNames: Partial<Record<BudgetName, string>> = { coolDowns: 'denialSeconds' }

function refusal(
  ctx: AskContext,
  { name, retryAfterMs }: Exhausted,
  status: number,
  about: Partial<Pair>,
): BackchannelError {
  ctx.emit({ type: 'limit.hit', limit: limitNames[name] ?? name, ...about })
  return new BackchannelError('access_denied', 'Asked too often; try again later', {
    status,
    headers: { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) },
  })
}
