import { setMaxListeners } from 'node:events'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Background } from './context.ts'
import { BackchannelError } from './errors.ts'
import type { Emit } from './events.ts'

/**
 * Runs what is not awaited. A task begins after the answer under way has been written. What it throws becomes an event;
 * `temporarily_unavailable` has one already, from the guard.
 */
export function createBackground(emit: Emit): Background {
  const tasks = new Set<Promise<void>>()
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // each wait listens, and there may be many: without this Node warns of a leak

  async function carryOut(task: () => Promise<void>): Promise<void> {
    try {
      await nextTurn()
      await task()
    } catch (cause) {
      const isReported = cause instanceof BackchannelError && cause.code === 'temporarily_unavailable'
      if (!isReported) emit({ type: 'fault', cause })
    }
  }

  return {
    run(task) {
      const running = carryOut(task).finally(() => tasks.delete(running))
      tasks.add(running)
    },

    wait: (ms) => sleep(ms, true, { signal: closing.signal, ref: false }).catch(() => false),

    async close() {
      closing.abort()
      while (tasks.size > 0) await Promise.all(tasks)
    },
  }
}
