import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Count, Counter, CounterFactory } from '../../contracts/options.ts'
import type { BudgetKey, BudgetName, Budgets } from '../../core/context.ts'
import type { Guard } from '../../core/guards/guard.ts'
import type { AskSettings } from '../../core/settings.ts'

/** Longest time that a counter can cover: timers of Node hold 24 days at most, and counters in memory have a timer. */
export const maxCounterSeconds = 2_073_600

/** Wrong user codes per user, and per client and user, before both have to wait; and how long they wait. */
const userCodeAttempts = 5
const userCodeSeconds = 900

/** Counts in the memory of this process. */
export const memoryCounter: CounterFactory = (options) => new RateLimiterMemory(options)

/**
 * Makes all counters, behind their guard: one that cannot count is an outage, and never a way around a limit. A limit of 0
 * has no counter; wrong user codes and blocks are always counted.
 * @param expirySeconds Seconds that a request stays open without an answer.
 */
export function createBudgets(
  limits: AskSettings['limits'],
  counter: CounterFactory,
  guard: Guard,
  expirySeconds: number,
): Budgets {
  const counters = new Map<BudgetName, Counter>()
  for (const [name, { key, points, seconds }] of Object.entries(budgetsOf(limits, expirySeconds))) {
    if (points === 0) continue
    counters.set(name as BudgetName, counter({ keyPrefix: `ciba-${key ?? name}`, points, duration: seconds }))
  }
  const part = 'limits'
  const hook = 'limits.counter'
  const isCounting = [...counters.keys()].some((name) => name !== 'userCodes' && name !== 'blocks')

  const takeEach: Budgets['take'] = async (...points) => {
    for (const [name, key, how] of points) {
      const counter = counters.get(name)
      const retryAfterMs = how === 'look' ? await msLeft(counter, key) : (await taken(counter, key)).retryAfterMs
      if (retryAfterMs !== undefined) return { name, retryAfterMs }
    }
    return undefined
  }

  return {
    take: isCounting ? guard.wrap(part, hook, takeEach) : async () => undefined,
    retryAfterMs: guard.wrap(part, hook, (name, key) => msLeft(counters.get(name), key)),
    count: guard.wrap(part, hook, async (name, key) => (await taken(counters.get(name), key)).consumedPoints),
    block: guard.wrap(
      part,
      hook,
      async (name, key, seconds) => void (await counters.get(name)?.block(nameOf(key), seconds)),
    ),
    clear: guard.wrap(part, hook, async (name, key) => (await counters.get(name)?.delete(nameOf(key))) ?? false),
    has: (name) => counters.has(name),
    failedCallers: new Set(),
  }
}

/** The points of each budget, and the seconds until they are back. `key`: its name in the storage if another. */
function budgetsOf(
  limits: AskSettings['limits'],
  expirySeconds: number,
): Readonly<Record<BudgetName, { readonly key?: string; readonly points: number; readonly seconds: number }>> {
  const { denialSeconds } = limits
  return {
    requestsPerClient: { points: limits.requestsPerClient, seconds: 60 },
    promptsPerUser: { points: limits.promptsPerUser, seconds: 3600 },
    promptsPerClientAndUser: { points: limits.promptsPerClientAndUser, seconds: 3600 },
    noticesPerDestination: { points: limits.noticesPerDestination, seconds: 3600 },
    noticesPerDestinationAndDay: { points: limits.noticesPerDestinationAndDay, seconds: 86_400 },
    failedHintsPerClient: { points: limits.failedHintsPerClient, seconds: 3600 },
    failedAuthentications: { points: limits.failedAuthentications, seconds: 600 },
    unknownUsers: {
      key: 'open',
      points: limits.openRequestsPerUser,
      seconds: Math.min(expirySeconds, maxCounterSeconds),
    },
    userCodes: { key: 'code', points: userCodeAttempts, seconds: userCodeSeconds },
    coolDowns: { key: 'cooldown', points: denialSeconds > 0 ? 1 : 0, seconds: denialSeconds },
    denials: { points: denialSeconds > 0 ? 1_000_000 : 0, seconds: 86_400 },
    blocks: { key: 'block', points: 1, seconds: limits.notMeBlockSeconds },
  }
}

/** The milliseconds until there is a point again; `undefined` when there is one. */
async function msLeft(counter: Counter | undefined, key: BudgetKey): Promise<number | undefined> {
  const count = await counter?.get(nameOf(key))
  const isLeft = count === undefined || count === null || count.remainingPoints > 0
  return isLeft ? undefined : Math.max(1, count.msBeforeNext)
}

/** Takes a point. A counter rejects with its count when none is left, and with an `Error` when it cannot count. */
async function taken(
  counter: Counter | undefined,
  key: BudgetKey,
): Promise<{ readonly consumedPoints: number; readonly retryAfterMs: number | undefined }> {
  if (counter === undefined) return { consumedPoints: 0, retryAfterMs: undefined }
  try {
    const { consumedPoints } = await counter.consume(nameOf(key))
    return { consumedPoints, retryAfterMs: undefined }
  } catch (thrown) {
    if (thrown instanceof Error) throw thrown
    const { consumedPoints, msBeforeNext } = thrown as Count
    return { consumedPoints, retryAfterMs: msBeforeNext }
  }
}

/** The key in the host's storage. No two have the same. */
function nameOf(key: BudgetKey): string {
  return typeof key === 'string' ? key : `${key.clientId.length} ${key.clientId} ${key.sub}`
}
