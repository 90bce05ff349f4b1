/** Keys looked at in one go, before others get a turn. */
const batch = 5_000

export interface Forgetting {
  /** `key` may be forgotten from `time` (epoch milliseconds) on. */
  at(time: number, key: string): void
  stop(): void
}

/**
 * Forgets keys at their time: one timer for all of them, and a list per second, so the work is in what is over, not in
 * what is there.
 * @param forget Forgets a key, or says until when it lives now.
 */
export function createForgetting(
  clock: () => number,
  forget: (key: string, now: number) => number | undefined,
  { everyMs = 5_000 }: { readonly everyMs?: number } = {},
): Forgetting {
  const lists = new Map<number, string[]>()
  let reached = Math.floor(clock() / 1000) - 1
  let timer: NodeJS.Timeout | undefined

  function at(time: number, key: string): void {
    const second = Math.max(Math.ceil(time / 1000), reached + 1)
    const list = lists.get(second)
    if (list === undefined) lists.set(second, [key])
    else list.push(key)
    timer ??= setTimeout(look, everyMs).unref()
  }

  function look(): void {
    const now = clock()
    let left = batch
    for (; lists.size > 0 && (reached + 1) * 1000 <= now; reached++) {
      const list = lists.get(reached + 1) ?? []
      for (let key = list.pop(); key !== undefined; key = list.pop()) {
        const until = forget(key, now)
        if (until !== undefined) at(until, key)
        left -= 1
        if (left === 0) {
          timer = setTimeout(look, 0).unref()
          return
        }
      }
      lists.delete(reached + 1)
    }
    timer = lists.size === 0 ? undefined : setTimeout(look, everyMs).unref()
  }

  return { at, stop: () => clearTimeout(timer) }
}
