/** Keys looked at in one go, before other work gets its turn. */
const batchSize = 5_000

export interface ExpiryTiming {
  /** Milliseconds between two looks for what has ended. Defaults to 5000. */
  readonly everyMs?: number
}

/** Removes keys at their end. */
export interface Expiry {
  /** Looks at `key` from `end` (epoch milliseconds) on. */
  add(key: string, end: number): void
  stop(): void
}

/**
 * Removes keys at their end. There is one timer for all keys and one list for each second: the time that a look takes
 * depends on how many keys have ended, not on how many there are.
 * @param expire Removes a key whose end has come. Returns the new end instead when the key lives longer by now.
 */
export function createExpiry(
  clock: () => number,
  expire: (key: string, now: number) => number | undefined,
  { everyMs = 5_000 }: ExpiryTiming = {},
): Expiry {
  /** Keys by the second in which they end. */
  const lists = new Map<number, string[]>()
  /** Every list up to this second is done. */
  let done = Math.floor(clock() / 1000) - 1
  let timer: NodeJS.Timeout | undefined

  function add(key: string, end: number): void {
    const second = Math.max(Math.ceil(end / 1000), done + 1)
    const list = lists.get(second)
    if (list === undefined) lists.set(second, [key])
    else list.push(key)
    timer ??= setTimeout(look, everyMs).unref()
  }

  function look(): void {
    const now = clock()
    let left = batchSize
    for (; lists.size > 0 && (done + 1) * 1000 <= now; done++) {
      const list = lists.get(done + 1) ?? []
      for (let key = list.pop(); key !== undefined; key = list.pop()) {
        const end = expire(key, now)
        if (end !== undefined) add(key, end)
        left -= 1
        if (left === 0) {
          timer = setTimeout(look, 0).unref()
          return
        }
      }
      lists.delete(done + 1)
    }
    timer = lists.size === 0 ? undefined : setTimeout(look, everyMs).unref()
  }

  return { add, stop: () => clearTimeout(timer) }
}

/** A map whose values are removed some time after their end. */
export interface ExpiringMap<T> {
  /** All values, also those that have ended and are not removed yet. */
  readonly values: ReadonlyMap<string, T>
  /** The value, until its end. */
  current(key: string): T | undefined
  /** `end`: epoch milliseconds, as `endOf` says. */
  set(key: string, value: T, end: number): void
  delete(key: string): void
  stop(): void
}

/**
 * @param endOf Epoch milliseconds.
 * @param onRemoved Is told of values that were removed for their end.
 */
export function createExpiringMap<T>(
  clock: () => number,
  endOf: (value: T) => number,
  onRemoved: (value: T, key: string) => void = () => {},
  timing: ExpiryTiming = {},
): ExpiringMap<T> {
  const values = new Map<string, T>()
  const expiry = createExpiry(
    clock,
    (key, now) => {
      const value = values.get(key)
      if (value === undefined) return undefined
      const end = endOf(value)
      if (end > now) return end
      values.delete(key)
      onRemoved(value, key)
      return undefined
    },
    timing,
  )
  return {
    values,
    current(key) {
      const value = values.get(key)
      return value !== undefined && endOf(value) > clock() ? value : undefined
    },
    set(key, value, end) {
      // a key that is there already is looked at when its first end has come
      if (!values.has(key)) expiry.add(key, end)
      values.set(key, value)
    },
    delete: (key) => void values.delete(key),
    stop: () => expiry.stop(),
  }
}
