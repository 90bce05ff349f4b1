/** Compares as JSON does, whatever the order of members. @throws Error that shows both. */
export function equal(actual: unknown, wanted: unknown): void {
  const [a, b] = [canonical(actual), canonical(wanted)]
  if (a !== b) throw new Error(`expected ${b}, got ${a}`)
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_name, each: unknown) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
        : each,
    ) ?? 'undefined'
  )
}

/** Waits until the condition holds, ten seconds at most. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (condition()) return
    await later(10)
  }
  throw new Error(`this never held: ${condition}`)
}

export function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** The results of one step after the other. */
export async function inTurn<T, R>(all: readonly T[], step: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const each of all) results.push(await step(each))
  return results
}
