import type { BackchannelStore, Call, Line } from '../../contracts/contracts.ts'

/** Long polling (CIBA Core 10.1): a poll stays open until the user has answered. */
export interface LongPollOptions {
  /** Seconds that a poll is held at most: 1 to 30. Clients and proxies in between have to wait longer than that. */
  readonly holdSeconds: number
  /** Polls held at a time, in this process. Those above are answered at once. Defaults to 20000. */
  readonly heldPolls?: number
  /** Polls of one client held at a time, in this process. Defaults to 5000. */
  readonly heldPollsPerClient?: number
}

/** What ends the waiting of a held poll. `away`: its client is gone, or this process goes. */
export type Ending = 'answered' | 'time' | 'away'

/** A place to wait in. */
export interface Place {
  /** Milliseconds that the poll may be held. */
  readonly holdMs: number
  /** Waits for the answer, for `ms` at most. One that came before, since the place was taken, ends it at once. */
  wait(ms: number): Promise<Ending>
  /** Was it ended for being `away`? */
  isAway(): boolean
  leave(): void
}

export interface LongPoll {
  /**
   * Takes a place, before the store is asked: no answer can fall in between. `undefined`: this poll cannot be held, as
   * nobody would tell us that its client went away, or all places are taken.
   */
  enter(call: Call, request: string, clientId: string): Place | undefined
  /** A request was answered here: wakes whoever waits for it, in every process. Rejects when the others may not know. */
  answered(request: string): Promise<void>
  /** Sends everybody away, and resolves when all are gone. */
  close(): Promise<void>
}

export function createLongPoll(
  { holdSeconds, heldPolls, heldPollsPerClient }: Required<LongPollOptions>,
  store: Pick<BackchannelStore, 'listen'>,
): LongPoll {
  const waiting = new Map<string, Set<HeldPoll>>()
  const perClient = new Map<string, number>()
  let held = 0
  let isClosing = false
  let emptied = () => {}
  // a store that connects nobody serves one process, or leaves its others without news until the hold is over
  let isUp = store.listen === undefined

  const wake = (request: string, ending: Ending) => {
    for (const each of waiting.get(request) ?? []) each.end(ending)
  }
  const line: Line | undefined = store.listen?.({
    heard: (request) => wake(request, 'answered'),
    up: () => {
      isUp = true
    },
    // those who wait go on: what is answered here still reaches them, and nothing is gained by a rush on the store
    down: () => {
      isUp = false
    },
  })

  return {
    enter(call, request, clientId) {
      const ofClient = perClient.get(clientId) ?? 0
      const isFull = held >= heldPolls || ofClient >= heldPollsPerClient
      if (isClosing || !isUp || isFull || call.whenGone === undefined) return undefined

      const poll = new HeldPoll(holdSeconds * 1000 - grainMs, () => {
        stopWatching()
        const others = waiting.get(request)
        others?.delete(poll)
        if (others?.size === 0) waiting.delete(request)
        held -= 1
        const left = (perClient.get(clientId) ?? 1) - 1
        if (left === 0) perClient.delete(clientId)
        else perClient.set(clientId, left)
        if (held === 0) emptied()
      })
      const stopWatching = call.whenGone(() => poll.end('away'))
      held += 1
      perClient.set(clientId, ofClient + 1)
      const others = waiting.get(request)
      if (others === undefined) waiting.set(request, new Set([poll]))
      else others.add(poll)
      return poll
    },

    async answered(request) {
      wake(request, 'answered')
      await line?.tell(request)
    },

    async close() {
      isClosing = true
      const allGone = new Promise<void>((resolve) => {
        emptied = resolve
      })
      for (const request of [...waiting.keys()]) wake(request, 'away')
      if (held > 0) await allGone
      await line?.close()
    },
  }
}

/** Milliseconds to which times are rounded up: timers of equal length share a list. */
const grainMs = 50

class HeldPoll implements Place {
  readonly holdMs: number
  readonly leave: () => void
  #ending: Ending | undefined
  #wake: ((ending: Ending) => void) | undefined
  readonly #since = performance.now()

  constructor(holdMs: number, leave: () => void) {
    this.holdMs = holdMs
    this.leave = leave
  }

  end(ending: Ending): void {
    // who is away stays away
    if (this.#ending !== 'away') this.#ending = ending
    this.#wake?.(this.#ending)
  }

  isAway(): boolean {
    return this.#ending === 'away'
  }

  async wait(ms: number): Promise<Ending> {
    const left = Math.min(ms, this.holdMs - (performance.now() - this.#since))
    if (this.#ending === undefined && left > 0) {
      await new Promise<Ending>((resolve) => {
        const timer = setTimeout(resolve, Math.ceil(left / grainMs) * grainMs, 'time')
        this.#wake = (ending) => {
          clearTimeout(timer)
          resolve(ending)
        }
      })
    }
    const ending = this.#ending ?? 'time'
    if (ending === 'answered') this.#ending = undefined
    return ending
  }
}
