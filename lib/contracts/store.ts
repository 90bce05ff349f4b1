import type { GrantRecord, Move, RequestRecord, Rotation } from './request.ts'

/** What a store answers to a poll. */
export interface Polled {
  readonly record: RequestRecord
  /** The poll came before its time; the record already holds the longer interval. */
  readonly early: boolean
}

/** Who wants to hear of answers. None of its functions throws. */
export interface AnswerSubscriber {
  /** This request was answered, or ended, here or in another process. Some may be missed, and some come twice. */
  onAnswer(request: string): void
  /** From now on answers are heard. */
  onConnect(): void
  /** Until further notice nothing is heard. */
  onDisconnect(): void
}

/** Connects the processes on one store. */
export interface AnswerBus {
  /** Lets all subscribers know that this request was answered. */
  publish(request: string): Promise<void>
  close(): Promise<void>
}

/** Who polls: a record is only answered to the client it belongs to and the very `auth_req_id` it was issued with. */
export interface Poller {
  readonly clientId: string
  readonly authReqIdHash: string
}

/**
 * Where requests live. Each verb is one atomic step and one round trip. A verb that cannot reach the backend rejects;
 * it never answers as if nothing were there. Run `storeContract` of `express-ciba/testing` against your own.
 * @example
 * ```ts
 * class MyStore implements BackchannelStore {
 *   async find(id: string): Promise<RequestRecord | undefined> {
 *     return (await db.requests.get(id)) ?? undefined
 *   }
 *
 *   async move(id: string, { from, to, changes, now }: Move) {
 *     // one conditional write, so that the database lets one caller win
 *     const open = { id, status: from, expiresAt: { after: now } }
 *     const record = await db.requests.updateWhere(open, { ...changes, status: to })
 *     if (record !== undefined) return { moved: true, record }
 *     const current = await this.find(id)
 *     return current && { moved: false, record: current }
 *   }
 *
 *   // … and every other verb
 * }
 * ```
 */
export interface BackchannelStore {
  /**
   * Writes a new record, and counts it among the open requests of its `sub` until it is answered or expires.
   * @returns `too_many_open`, with nothing written, when the user already has `openLimit` open requests.
   */
  add(record: RequestRecord, openLimit?: number): Promise<'added' | 'too_many_open'>
  /** The record, until `keptUntil`. */
  find(id: string): Promise<RequestRecord | undefined>
  /**
   * Reads, stamps and paces in one step. Only a pending, unexpired record changes; others are returned as they are.
   *
   * A poll is early when it comes more than 250 ms before `lastPollAt` + `intervalSeconds`. It adds 1 to `slowDowns`
   * and 5 to `intervalSeconds`, up to 60; where that is 60 already, it writes nothing. `lastPollAt` becomes `now`.
   *
   * `holdMs`: the poll may be held open for so long, and every other one until then is early. So a poll in time sets
   * `lastPollAt` to `now` + `holdMs` - `intervalSeconds`, if that is later than `now`. An early poll that finds it up
   * to 30 s later than `now` takes 5 s off it, but not below `now`: the longer interval does not make the hold longer.
   * Defaults to 0.
   * @returns `undefined` when there is no such record, or it belongs to another client or `auth_req_id`.
   */
  poll(id: string, poller: Poller, now: number, holdMs?: number): Promise<Polled | undefined>
  /**
   * For long polling: a poll that was to be held ended before its time, and its interval counts from `polledAt`, when it
   * came. Absent: a client whose connection broke gets `slow_down` for as long as its poll could have lasted.
   */
  release?(id: string, polledAt: number): Promise<void>
  /**
   * For long polling: connects the processes on this store, so that each hears what another has answered. Begins in the
   * background and reconnects by itself. Absent: a held poll hears of what happens in its own process.
   */
  subscribe?(subscriber: AnswerSubscriber): AnswerBus
  /**
   * The only way a status changes. One winner: of any number of moves from the same status, one is carried out.
   * @returns the record after the move; when the move was refused, the record as it stands; `undefined` when unknown.
   */
  move(id: string, move: Move): Promise<{ readonly moved: boolean; readonly record: RequestRecord } | undefined>
  /** Replay guard, one winner: `true` for the first caller with this key, `false` for all others until `until` (ms). */
  firstSeen(key: string, until: number): Promise<boolean>
  /** Was `firstSeen` called with this key, and is its `until` to come? Changes nothing. */
  seen(key: string): Promise<boolean>
  /** Writes a new refresh token family. */
  addGrant(grant: GrantRecord): Promise<void>
  /** The family, until it expires or ends. */
  findGrant(id: string): Promise<GrantRecord | undefined>
  /**
   * Replaces the current refresh token. One winner.
   * `rotated`: `from` was current. `repeated`: `from` is the previous one, within its grace; the newer token is replaced.
   * `reused`: `from` is neither; the family has been ended. `undefined`: no such family.
   */
  rotate(id: string, rotation: Rotation): Promise<'rotated' | 'repeated' | 'reused' | undefined>
  /** Ends a family. */
  endGrant(id: string): Promise<void>
  /** Releases timers and subscriptions of the adapter itself. Connections passed in by the host stay open. */
  close?(): Promise<void>
}
