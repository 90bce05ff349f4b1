import { AsyncLocalStorage } from 'node:async_hooks'
import { within } from '../deadline.ts'
import { createForgetting } from '../expiry.ts'

/** The part of Keyv 5 and 6 that is used. */
export interface KeyvLike {
  get<T>(key: string): Promise<T | undefined>
  set(key: string, value: unknown, ttl?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on(event: 'error', listener: (error: unknown) => void): unknown
  throwOnErrors?: boolean
  readonly store?: unknown
}

/** Keys and values, whose failures are failures. */
export interface Backend {
  /** Name of the class that does the work: `Map`, `KeyvRedis`, … */
  readonly kind: string
  get<T>(key: string): Promise<T | undefined>
  /** @param until Epoch milliseconds. */
  set(key: string, value: unknown, until: number): Promise<void>
  /** Was it there? */
  delete(key: string): Promise<boolean>
  stop(): void
}

interface Attempt {
  failed: boolean
  error?: unknown
}

/** Which attempt a failure belongs to: Keyv tells of it by an event that does not say. */
const attempts = new AsyncLocalStorage<Attempt>()

/**
 * Keyv tells of failures by an event and answers `undefined` or `false`, which would read as "not found".
 * Here they reject: by `throwOnErrors` where it is known, by the event where it is not.
 * A Map forgets nothing by itself, so it is told what is over.
 */
export function createBackend(
  keyv: KeyvLike,
  { timeoutMs = 2000, ...timing }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Backend {
  const stores = storesIn(keyv)
  const isMap = stores.at(-1) instanceof Map
  const kind = stores.at(-1)?.constructor.name ?? ''
  const { client } = (stores.at(-1) ?? {}) as {
    readonly client?: { readonly isOpen?: boolean; readonly isReady?: boolean }
  }
  let wasReady = false
  const ends = new Map<string, number>()
  const forget = (key: string, now: number) => {
    const until = ends.get(key) ?? 0
    if (until > now) return until
    ends.delete(key)
    void keyv.delete(key)
    return undefined
  }
  const forgetting = createForgetting(Date.now, forget, timing)
  keyv.on('error', (error) => {
    const attempt = attempts.getStore()
    if (attempt !== undefined) Object.assign(attempt, { failed: true, error })
  })
  keyv.throwOnErrors = true
  for (const store of stores) if ('throwOnErrors' in store) store.throwOnErrors = true

  /** While the connection is lost, a Redis client queues commands; a ticket deleted late would be deleted by nobody. */
  async function reachable(): Promise<void> {
    while (client?.isOpen && client.isReady === false) {
      if (wasReady) throw new Error(`${kind} is not connected`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    wasReady = client?.isReady === true
  }

  async function attempt<T>(step: () => Promise<T>): Promise<T> {
    const state: Attempt = { failed: false }
    const run = () => attempts.run(state, step)
    const result = await (isMap ? run() : within(timeoutMs, kind, () => reachable().then(run)))
    if (state.failed) throw state.error
    return result
  }

  return {
    kind,
    get: (key) => attempt(() => keyv.get(key)),
    async set(key, value, until) {
      // Keyv takes a duration of 0 for "forever"
      await attempt(() => keyv.set(key, value, Math.max(1, until - Date.now())))
      if (!isMap) return
      if (!ends.has(key)) forgetting.at(until, key)
      ends.set(key, until)
    },
    delete: async (key) => (await attempt(() => keyv.delete(key))) !== false,
    stop: () => forgetting.stop(),
  }
}

/** What a Keyv works on, the backend last: Keyv 6 puts an adapter of its own in front of it. */
function storesIn(keyv: KeyvLike): object[] {
  const stores: object[] = []
  for (let store = keyv.store; typeof store === 'object' && store !== null; ) {
    stores.push(store)
    const wraps = /^Keyv(Memory|Bridge)Adapter$/.test(store.constructor.name) && 'store' in store
    store = wraps ? (store as { store: unknown }).store : undefined
  }
  return stores
}
