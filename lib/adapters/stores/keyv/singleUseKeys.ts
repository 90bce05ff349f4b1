import type { Backend } from './backend.ts'

/** How a loser waits until the winner in another process has written: so many tries, so many milliseconds apart. */
const maxTries = 5
const retryDelayMs = 20

/** Keys that one caller only can delete: that caller has won. */
export interface SingleUseKeys {
  /** @param until Epoch milliseconds. */
  put(key: string, until: number): Promise<void>
  /** Uses the key up and then writes. @returns `false`, with nothing written, when another caller was first. */
  use(key: string, until: number, write: () => Promise<unknown>): Promise<boolean>
  /**
   * Reads until another process has written what it won.
   * @throws Error when it does not: its process may have ended.
   */
  afterWinner<T>(read: () => Promise<T>, isWritten: (value: T) => boolean): Promise<T>
}

/** @param settledMs After so many milliseconds a write that failed was carried out after all, or never will be. */
export function createSingleUseKeys(
  backend: Pick<Backend, 'set' | 'delete'>,
  { settledMs = 5_000 }: { readonly settledMs?: number } = {},
): SingleUseKeys {
  /** The winner could not write: later, another caller may win. */
  function putBackLater(key: string, until: number): void {
    setTimeout(() => {
      if (Date.now() < until) backend.set(key, 1, until).catch(() => putBackLater(key, until))
    }, settledMs).unref()
  }

  return {
    put: (key, until) => backend.set(key, 1, until),

    async use(key, until, write) {
      // when the deletion fails the key is not put back: another caller may have won meanwhile
      if (!(await backend.delete(key))) return false
      try {
        await write()
        return true
      } catch (error) {
        putBackLater(key, until)
        throw error
      }
    },

    async afterWinner(read, isWritten) {
      for (let tries = 0; tries < maxTries; tries++) {
        const value = await read()
        if (isWritten(value)) return value
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs))
      }
      throw new Error('another process is changing this, or has failed to')
    },
  }
}
