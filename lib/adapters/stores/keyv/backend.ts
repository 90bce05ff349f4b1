import { AsyncLocalStorage } from 'node:async_hooks'
import { withTimeout } from '../../../core/guards/guard.ts'
import { createExpiringMap } from '../expiry.ts'

/** The part of Keyv 5 and 6 that is used. */
export interface KeyvLike {
  get<T>(key: string): Promise<T | undefined>
  set(key: string, value: unknown, ttl?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on(event: 'error', listener: (error: unknown) => void): unknown
  throwOnErrors?: boolean
  readonly store?: unknown
}

/** Keys and values. A failure rejects. */
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

export interface BackendTiming {
  /** Milliseconds after which a silent backend counts as out of reach. Defaults to 2000. */
  readonly timeoutMs?: number
  /** Milliseconds between two looks for what has ended in a Map. Defaults to 5000. */
  readonly everyMs?: number
}

/** @throws TypeError when it is not a Keyv. */
export function requireKeyv(keyv: unknown): void {
  const { get, set, delete: remove, on } = (keyv ?? {}) as Partial<KeyvLike>
  if ([get, set, remove, on].every((each) => typeof each === 'function')) return
  throw new TypeError('express-ciba: keyvStore needs a Keyv of the package "keyv" (5 or 6): keyvStore(new Keyv(…))')
}

/** A Keyv whose failures reject, in time, and that removes what has ended from a Map too. */
export function createBackend(keyv: KeyvLike, { timeoutMs = 2000, everyMs = 5000 }: BackendTiming = {}): Backend {
  const stores = storesIn(keyv)
  const innermost = stores.at(-1)
  const kind = innermost?.constructor.name ?? ''
  const attempt = rejectFailures(keyv, stores)
  if (innermost instanceof Map) return mapBackend(keyv, kind, attempt, everyMs)

  const whenConnected = connectionOf(innermost, kind, timeoutMs)
  const inTime: Attempt = (step) => withTimeout(() => attempt(() => whenConnected().then(step)), timeoutMs, kind)
  return {
    kind,
    get: (key) => inTime(() => keyv.get(key)),
    set: async (key, value, until) => void (await inTime(() => keyv.set(key, value, lifetimeMs(until)))),
    delete: async (key) => (await inTime(() => keyv.delete(key))) !== false,
    stop() {},
  }
}

/** Keyv removes nothing from a Map by itself: a value that has ended stays until somebody reads it. */
function mapBackend(keyv: KeyvLike, kind: string, attempt: Attempt, everyMs: number): Backend {
  const remove = (_end: number, key: string): void => void keyv.delete(key).catch(() => {})
  const ends = createExpiringMap<number>(Date.now, (end) => end, remove, { everyMs })
  return {
    kind,
    get: (key) => attempt(() => keyv.get(key)),
    async set(key, value, until) {
      await attempt(() => keyv.set(key, value, lifetimeMs(until)))
      ends.set(key, until, until)
    },
    delete: async (key) => (await attempt(() => keyv.delete(key))) !== false,
    stop: () => ends.stop(),
  }
}

/** Keyv takes a duration of 0 for "forever". */
function lifetimeMs(until: number): number {
  return Math.max(1, until - Date.now())
}

/** Runs a step of Keyv, and rejects when it failed. */
type Attempt = <T>(step: () => Promise<T>) => Promise<T>

/**
 * Keyv tells of failures by an event and answers `undefined` or `false`, which would read as "not there". With
 * `throwOnErrors` it rejects; where Keyv or its backend does not know that, the event decides.
 */
function rejectFailures(keyv: KeyvLike, stores: readonly object[]): Attempt {
  /** The event does not say which step failed: this finds the step in whose course it was emitted. */
  const running = new AsyncLocalStorage<{ failure?: { readonly error: unknown } }>()
  keyv.on('error', (error) => {
    const step = running.getStore()
    if (step !== undefined) step.failure = { error }
  })
  keyv.throwOnErrors = true
  for (const store of stores) if ('throwOnErrors' in store) store.throwOnErrors = true

  return async (step) => {
    const outcome: { failure?: { readonly error: unknown } } = {}
    const result = await running.run(outcome, step)
    if (outcome.failure !== undefined) throw outcome.failure.error
    return result
  }
}

/**
 * While the connection is lost, a Redis client queues commands. A single-use key that is deleted late would be used up
 * without a winner, so nothing is sent then.
 * @returns what resolves when the client is connected. It waits for the first connection only, and within the timeout.
 */
function connectionOf(store: object | undefined, kind: string, timeoutMs: number): () => Promise<void> {
  const { client } = (store ?? {}) as { readonly client?: { readonly isOpen?: boolean; readonly isReady?: boolean } }
  let wasReady = false
  return async () => {
    const deadline = Date.now() + timeoutMs
    while (client?.isOpen && client.isReady === false) {
      if (wasReady || Date.now() >= deadline) throw new Error(`${kind} is not connected`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    wasReady = client?.isReady === true
  }
}

/** What a Keyv works on, the backend last: Keyv 6 puts an adapter of its own in front of it. */
function storesIn(keyv: KeyvLike): object[] {
  const stores: object[] = []
  for (let store = keyv.store; typeof store === 'object' && store !== null; ) {
    stores.push(store)
    const isAdapter = /^Keyv(Memory|Bridge)Adapter$/.test(store.constructor.name) && 'store' in store
    store = isAdapter ? (store as { store: unknown }).store : undefined
  }
  return stores
}
