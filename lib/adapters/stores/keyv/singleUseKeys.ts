import type { Backend } from './backend.ts'

/** Milliseconds and tries that a loser waits until the winner in another process has written. */
const winnerMs = 20
const winnerTries = 5

/**
 * Tickets: keys that one caller only can delete. Whoever does has won.
 * @param settledMs After so long, a write that failed has been carried out or never will be.
 */
export function createTickets(
  backend: Pick<Backend, 'set' | 'delete'>,
  { settledMs = 5_000 }: { readonly settledMs?: number } = {},
) {
  /** The winner could not write what it won: later, somebody else may. */
  function giveBack(ticket: string, until: number): void {
    setTimeout(() => {
      if (Date.now() < until) backend.set(ticket, 1, until).catch(() => giveBack(ticket, until))
    }, settledMs).unref()
  }

  return {
    make: (ticket: string, until: number) => backend.set(ticket, 1, until),

    /** Writes, if the ticket can be had. @returns whether it was. */
    async use(ticket: string, until: number, write: () => Promise<unknown>): Promise<boolean> {
      // A deletion that fails is not undone: somebody else may have won meanwhile.
      if (!(await backend.delete(ticket))) return false
      try {
        await write()
        return true
      } catch (error) {
        giveBack(ticket, until)
        throw error
      }
    },

    /** Reads until another process has written what it won. @throws Error when it does not, for it may have died. */
    async afterWinner<T>(read: () => Promise<T>, changed: (value: T) => boolean): Promise<T> {
      for (let tries = 0; tries < winnerTries; tries++) {
        const value = await read()
        if (changed(value)) return value
        await new Promise((resolve) => setTimeout(resolve, winnerMs))
      }
      throw new Error('another process is changing this, or has failed to')
    },
  }
}
