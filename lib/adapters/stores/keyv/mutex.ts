/** Runs steps with the same key one after the other, in this process. */
export function createLocks() {
  const tails = new Map<string, Promise<unknown>>()

  return async <T>(key: string, step: () => Promise<T>): Promise<T> => {
    const before = tails.get(key)
    const run = before === undefined ? step() : before.then(step, step)
    tails.set(key, run)
    try {
      return await run
    } finally {
      if (tails.get(key) === run) tails.delete(key)
    }
  }
}
