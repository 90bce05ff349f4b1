import type { BackchannelStore } from '../../contracts/store.ts'
import type { HeldPollSlot, HoldEnd, LongPoll } from '../../core/context.ts'
import type { Settings } from '../../core/settings.ts'

/** Milliseconds to which waits are rounded up: Node keeps timers of equal length in one list. */
const grainMs = 50

/**
 * Long polling (CIBA Core 10.1): a poll stays open until the user has answered. Other processes hear of the answer by
 * `store.subscribe`; where a store has no such verb, the polls they hold end when their time is over.
 * @returns `undefined` where the option `polling.holdSeconds` is not set.
 */
export function createLongPoll(
  { holdSeconds, heldPolls, heldPollsPerClient }: Settings['polling'],
  store: Pick<BackchannelStore, 'subscribe'>,
  clock: () => number,
): LongPoll | undefined {
  if (holdSeconds === undefined) return undefined
  const held = new HeldPolls()
  let isClosing = false
  let isConnected = store.subscribe === undefined

  const bus = store.subscribe?.({
    onAnswer: (request) => held.end(request, 'answered'),
    onConnect: () => {
      isConnected = true
    },
    // held polls stay open: they hear of answers given in this process, and all at once they would flood the store
    onDisconnect: () => {
      isConnected = false
    },
  })

  return {
    enter(call, request, clientId) {
      const isFull = held.size >= heldPolls || held.countOf(clientId) >= heldPollsPerClient
      if (isClosing || !isConnected || isFull || call.whenGone === undefined) return undefined
      const poll = new HeldPoll(holdSeconds * 1000 - grainMs, clock, () => {
        stopWatching()
        held.remove(poll, request, clientId)
      })
      const stopWatching = call.whenGone(() => poll.end('away'))
      held.add(poll, request, clientId)
      return poll
    },

    async answered(request) {
      held.end(request, 'answered')
      await bus?.publish(request)
    },

    async close() {
      isClosing = true
      await held.sendAway()
      await bus?.close()
    },
  }
}

/** The polls that are held in this process. */
class HeldPolls {
  readonly #byRequest = new Map<string, Set<HeldPoll>>()
  readonly #perClient = new Map<string, number>()
  #size = 0
  #emptied = () => {}

  get size(): number {
    return this.#size
  }

  countOf(clientId: string): number {
    return this.#perClient.get(clientId) ?? 0
  }

  add(poll: HeldPoll, request: string, clientId: string): void {
    this.#size += 1
    this.#perClient.set(clientId, this.countOf(clientId) + 1)
    const polls = this.#byRequest.get(request)
    if (polls === undefined) this.#byRequest.set(request, new Set([poll]))
    else polls.add(poll)
  }

  remove(poll: HeldPoll, request: string, clientId: string): void {
    const polls = this.#byRequest.get(request)
    if (!polls?.delete(poll)) return
    if (polls.size === 0) this.#byRequest.delete(request)
    const left = this.countOf(clientId) - 1
    if (left === 0) this.#perClient.delete(clientId)
    else this.#perClient.set(clientId, left)
    this.#size -= 1
    if (this.#size === 0) this.#emptied()
  }

  /** Ends the waiting of all polls for this request. */
  end(request: string, how: HoldEnd): void {
    for (const poll of this.#byRequest.get(request) ?? []) poll.end(how)
  }

  /** Resolves when all have left. */
  async sendAway(): Promise<void> {
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve
    })
    for (const request of [...this.#byRequest.keys()]) this.end(request, 'away')
    if (this.#size > 0) await emptied
  }
}

class HeldPoll implements HeldPollSlot {
  readonly holdMs: number
  readonly leave: () => void
  readonly #clock: () => number
  readonly #since: number
  #end: HoldEnd | undefined
  #wake: ((end: HoldEnd) => void) | undefined

  constructor(holdMs: number, clock: () => number, leave: () => void) {
    this.holdMs = holdMs
    this.leave = leave
    this.#clock = clock
    this.#since = clock()
  }

  end(how: HoldEnd): void {
    // away is final
    if (this.#end !== 'away') this.#end = how
    this.#wake?.(this.#end)
  }

  isAway(): boolean {
    return this.#end === 'away'
  }

  async wait(ms: number): Promise<HoldEnd> {
    // a clock that was set back must not make the hold longer
    const passedMs = Math.max(0, this.#clock() - this.#since)
    const leftMs = Math.min(ms, this.holdMs - passedMs)
    if (this.#end === undefined && leftMs > 0) await this.#sleep(Math.ceil(leftMs / grainMs) * grainMs)
    const end = this.#end ?? 'time'
    if (end === 'answered') this.#end = undefined
    return end
  }

  #sleep(ms: number): Promise<unknown> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = (end) => {
        clearTimeout(timer)
        resolve(end)
      }
    })
  }
}
