import type { GrantRecord, Move, RequestRecord } from '../../contracts/request.ts'
import type { BackchannelStore, Polled, Poller } from '../../contracts/store.ts'
import { changed } from '../../core/json.ts'
import { paceOf } from '../../core/pacing.ts'
import { rotateFamily } from '../../core/refreshFamily.ts'
import { isExpired } from '../../core/request.ts'
import { createExpiringMap, type ExpiringMap } from './expiry.ts'

/** Requests, and which of them are open. */
interface Requests {
  readonly records: ExpiringMap<RequestRecord>
  /** Ids of open requests by user. Some may have expired. */
  readonly openBySub: Map<string, string[]>
}

/**
 * Requests in the memory of this process: for the first run, for tests, and for one process that may lose them when it
 * ends. Each verb is one synchronous step, so it is atomic. What has ended is removed by itself.
 * @param options.clock Epoch milliseconds. Defaults to `Date.now`.
 * @example
 * ```ts
 * createBackchannelRouter({ issuer, clients, users, store: memoryStore() })
 * ```
 */
export function memoryStore({ clock = Date.now }: { readonly clock?: () => number } = {}): BackchannelStore {
  const openBySub: Requests['openBySub'] = new Map()
  const records = createExpiringMap<RequestRecord>(
    clock,
    ({ keptUntil }) => keptUntil,
    (record) => removeOpen(openBySub, record),
  )
  const requests: Requests = { records, openBySub }
  const seenUntil = createExpiringMap<number>(clock, (until) => until)
  const grants = createExpiringMap<GrantRecord>(clock, ({ expiresAt }) => expiresAt)

  return {
    add: async (record, openLimit) => add(requests, record, openLimit),
    find: async (id) => records.current(id),
    poll: async (id, poller, now, holdMs) => poll(requests, id, poller, now, holdMs),
    async release(id, polledAt) {
      const record = records.values.get(id)
      if (record?.status === 'pending') records.set(id, changed(record, { lastPollAt: polledAt }), record.keptUntil)
    },
    move: async (id, change) => move(requests, id, change),

    async firstSeen(key, until) {
      if (seenUntil.current(key) !== undefined) return false
      seenUntil.set(key, until, until)
      return true
    },
    seen: async (key) => seenUntil.current(key) !== undefined,

    addGrant: async (grant) => grants.set(grant.id, grant, grant.expiresAt),
    findGrant: async (id) => grants.current(id),
    async rotate(id, rotation) {
      const family = grants.values.get(id)
      if (family === undefined || family.expiresAt <= rotation.now) return undefined
      const { outcome, next } = rotateFamily(family, rotation)
      if (next === undefined) grants.delete(id)
      else grants.set(id, next, next.expiresAt)
      return outcome
    },
    endGrant: async (id) => grants.delete(id),

    async close() {
      for (const each of [records, seenUntil, grants]) each.stop()
    },
  }
}

function add(requests: Requests, record: RequestRecord, openLimit: number | undefined): 'added' | 'too_many_open' {
  const { sub, receivedAt } = record
  if (openLimit !== undefined && sub !== undefined && hasTooManyOpen(requests, sub, openLimit, receivedAt)) {
    return 'too_many_open'
  }
  if (!requests.records.values.has(record.id)) addOpen(requests.openBySub, record)
  requests.records.set(record.id, record, record.keptUntil)
  return 'added'
}

function poll({ records }: Requests, id: string, poller: Poller, now: number, holdMs = 0): Polled | undefined {
  const record = records.values.get(id)
  if (record?.clientId !== poller.clientId || record.authReqIdHash !== poller.authReqIdHash) return undefined
  if (record.status !== 'pending' || isExpired(record, now)) return { record, early: false }
  const pace = paceOf(record, now, holdMs)
  if (pace === undefined) return { record, early: true }
  const { early, ...changes } = pace
  const paced = changed(record, changes)
  records.set(id, paced, paced.keptUntil)
  return { record: paced, early }
}

function move(
  { records, openBySub }: Requests,
  id: string,
  { from, to, changes, now }: Move,
): { readonly moved: boolean; readonly record: RequestRecord } | undefined {
  const record = records.values.get(id)
  if (record === undefined) return undefined
  if (record.status !== from || isExpired(record, now)) return { moved: false, record }
  const moved = changed(record, { ...changes, status: to })
  records.set(id, moved, moved.keptUntil)
  if (to === 'pending') addOpen(openBySub, moved)
  else removeOpen(openBySub, moved)
  return { moved: true, record: moved }
}

function addOpen(openBySub: Requests['openBySub'], { id, sub }: RequestRecord): void {
  if (sub === undefined) return
  // a list: a Set for every user would add a quarter to what an open request takes (`npm run bench:scale`)
  const open = openBySub.get(sub)
  if (open === undefined) openBySub.set(sub, [id])
  else open.push(id)
}

function removeOpen(openBySub: Requests['openBySub'], { id, sub }: RequestRecord): void {
  const open = sub === undefined ? undefined : openBySub.get(sub)
  if (sub === undefined || open === undefined) return
  const at = open.indexOf(id)
  if (at !== -1) open.splice(at, 1)
  if (open.length === 0) openBySub.delete(sub)
}

/** Expired requests are looked for only where there seem to be too many. */
function hasTooManyOpen({ records, openBySub }: Requests, sub: string, limit: number, now: number): boolean {
  const open = openBySub.get(sub) ?? []
  if (open.length < limit) return false
  const stillOpen = open.filter((id) => {
    const record = records.values.get(id)
    return record !== undefined && !isExpired(record, now)
  })
  if (stillOpen.length < open.length) openBySub.set(sub, stillOpen)
  return stillOpen.length >= limit
}
