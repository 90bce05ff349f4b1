import type { Backend } from './backend.ts'
import type { SingleUseKeys } from './singleUseKeys.ts'

/** How the verbs reach the backend. */
export interface Access {
  readonly backend: Backend
  /** One step at a time for each key, in this process. */
  readonly inTurn: Mutex
  readonly singleUse: SingleUseKeys
}

/** Runs steps with the same key one after the other, in this process. */
export type Mutex = <T>(key: string, step: () => Promise<T>) => Promise<T>

export function createMutex(): Mutex {
  /** The last step of each key. */
  const last = new Map<string, Promise<unknown>>()

  return async (key, step) => {
    const before = last.get(key)
    const run = before === undefined ? step() : before.then(step, step)
    last.set(key, run)
    try {
      return await run
    } finally {
      if (last.get(key) === run) last.delete(key)
    }
  }
}
