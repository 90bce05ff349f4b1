import type { BackchannelStore, Polled } from '../contracts.ts'
import { type GrantRecord, isExpired, paceOf, type RequestRecord } from '../record.ts'
import { rotated } from './rotated.ts'

/** Milliseconds between two looks for what may be forgotten. */
const sweepEvery = 10_000

/**
 * Requests in the memory of this process: for the first run, for tests, and for one process that may forget.
 * Every verb is one synchronous step, so each has one winner. What is over leaves by itself, in batches by the second.
 */
export function memoryStore({ clock = Date.now }: { readonly clock?: () => number } = {}): BackchannelStore {
  const records = new Map<string, RequestRecord>()
  const openOf = new Map<string, Set<string>>()
  const seen = new Map<string, number>()
  const grants = new Map<string, GrantRecord>()
  const forgetting = createForgetting(clock)

  function openRequests(sub: string, now: number): Set<string> {
    const open = openOf.get(sub) ?? new Set()
    for (const id of open) {
      const record = records.get(id)
      if (record === undefined || isExpired(record, now)) open.delete(id)
    }
    return open
  }

  function close(record: RequestRecord): void {
    if (record.sub === undefined) return
    const open = openOf.get(record.sub)
    open?.delete(record.id)
    if (open?.size === 0) openOf.delete(record.sub)
  }

  return {
    async add(record, openLimit) {
      if (openLimit !== undefined && record.sub !== undefined) {
        const open = openRequests(record.sub, record.receivedAt)
        if (open.size >= openLimit) return 'too_many_open'
        openOf.set(record.sub, open.add(record.id))
      }
      records.set(record.id, record)
      forgetting.at(record.keptUntil, () => {
        const kept = records.get(record.id)
        if (kept === undefined) return
        close(kept)
        records.delete(record.id)
      })
      return 'added'
    },

    async find(id) {
      return records.get(id)
    },

    async poll(id, poller, now): Promise<Polled | undefined> {
      const record = records.get(id)
      if (record?.clientId !== poller.clientId || record.authReqIdHash !== poller.authReqIdHash) return undefined
      if (record.status !== 'pending' || isExpired(record, now)) return { record, early: false }
      const pace = paceOf(record, now)
      if (pace === undefined) return { record, early: true }
      const { early, ...changes } = pace
      const paced = { ...record, ...changes }
      records.set(id, paced)
      return { record: paced, early }
    },

    async move(id, { from, to, changes, now }) {
      const record = records.get(id)
      if (record === undefined) return undefined
      if (record.status !== from || isExpired(record, now)) return { moved: false, record }
      const moved = { ...record, ...changes, status: to }
      records.set(id, moved)
      if (to !== 'pending') close(moved)
      return { moved: true, record: moved }
    },

    async firstSeen(key, until) {
      const known = seen.get(key)
      if (known !== undefined && known > clock()) return false
      seen.set(key, until)
      forgetting.at(until, () => {
        if ((seen.get(key) ?? Number.POSITIVE_INFINITY) <= until) seen.delete(key)
      })
      return true
    },

    async addGrant(grant) {
      grants.set(grant.id, grant)
      forgetting.at(grant.expiresAt, () => void grants.delete(grant.id))
    },

    async findGrant(id) {
      const grant = grants.get(id)
      return grant !== undefined && grant.expiresAt > clock() ? grant : undefined
    },

    async rotate(id, rotation) {
      const grant = grants.get(id)
      if (grant === undefined || grant.expiresAt <= rotation.now) return undefined
      const { outcome, next } = rotated(grant, rotation)
      if (next === undefined) grants.delete(id)
      else grants.set(id, next)
      return outcome
    },

    async endGrant(id) {
      grants.delete(id)
    },

    async close() {
      forgetting.stop()
    },
  }
}

/** Forgets things at their time: one timer for all, and a list per second. */
function createForgetting(clock: () => number) {
  const due = new Map<number, (() => void)[]>()
  const timer = setInterval(() => {
    const now = Math.floor(clock() / 1000)
    for (const [second, steps] of due) {
      if (second >= now) continue
      due.delete(second)
      for (const step of steps) step()
    }
  }, sweepEvery).unref()

  return {
    at(time: number, step: () => void): void {
      const second = Math.floor(time / 1000)
      const steps = due.get(second)
      if (steps === undefined) due.set(second, [step])
      else steps.push(step)
    },
    stop: () => clearInterval(timer),
  }
}
