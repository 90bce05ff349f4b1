import type { BackchannelStore, Polled } from '../../contracts/contracts.ts'
import { rotated } from '../../core/refreshFamily.ts'
import { changed, type GrantRecord, isExpired, paceOf, type RequestRecord } from '../../core/request.ts'
import { createForgetting } from './expiry.ts'
import { createOpenRequests } from './openRequests.ts'

/**
 * Requests in the memory of this process: for the first run, for tests, and for one process that may forget.
 * Every verb is one synchronous step, so each has one winner. What is over leaves by itself.
 */
export function memoryStore({ clock = Date.now }: { readonly clock?: () => number } = {}): BackchannelStore {
  const records = new Map<string, RequestRecord>()
  const seen = new Map<string, number>()
  const grants = new Map<string, GrantRecord>()
  const open = createOpenRequests((id, now) => {
    const record = records.get(id)
    return record !== undefined && !isExpired(record, now)
  })

  const forgetRecords = createForgetting(clock, (id, now) => {
    const record = records.get(id)
    if (record === undefined) return undefined
    if (record.keptUntil > now) return record.keptUntil
    open.remove(record)
    records.delete(id)
    return undefined
  })
  const forgetKeys = createForgetting(clock, (key, now) => {
    const until = seen.get(key) ?? 0
    if (until > now) return until
    seen.delete(key)
    return undefined
  })
  const forgetGrants = createForgetting(clock, (id, now) => {
    const until = grants.get(id)?.expiresAt ?? 0
    if (until > now) return until
    grants.delete(id)
    return undefined
  })

  return {
    async add(record, openLimit) {
      if (openLimit !== undefined && open.count(record.sub, openLimit, record.receivedAt) >= openLimit) {
        return 'too_many_open'
      }
      records.set(record.id, record)
      open.add(record)
      forgetRecords.at(record.keptUntil, record.id)
      return 'added'
    },

    async find(id) {
      const record = records.get(id)
      return record !== undefined && record.keptUntil > clock() ? record : undefined
    },

    async poll(id, poller, now, holdMs = 0): Promise<Polled | undefined> {
      const record = records.get(id)
      if (record?.clientId !== poller.clientId || record.authReqIdHash !== poller.authReqIdHash) return undefined
      if (record.status !== 'pending' || isExpired(record, now)) return { record, early: false }
      const pace = paceOf(record, now, holdMs)
      if (pace === undefined) return { record, early: true }
      const { early, lastPollAt, intervalSeconds, slowDowns } = pace
      const paced = changed(record, { lastPollAt, intervalSeconds, slowDowns })
      records.set(id, paced)
      return { record: paced, early }
    },

    async release(id, polledAt) {
      const record = records.get(id)
      if (record?.status === 'pending') records.set(id, changed(record, { lastPollAt: polledAt }))
    },

    async move(id, { from, to, changes, now }) {
      const record = records.get(id)
      if (record === undefined) return undefined
      if (record.status !== from || isExpired(record, now)) return { moved: false, record }
      const moved = changed(record, { ...changes, status: to })
      records.set(id, moved)
      if (to === 'pending') open.add(moved)
      else open.remove(moved)
      return { moved: true, record: moved }
    },

    async firstSeen(key, until) {
      const known = seen.get(key)
      if (known !== undefined && known > clock()) return false
      seen.set(key, until)
      if (known === undefined) forgetKeys.at(until, key)
      return true
    },

    async seen(key) {
      return (seen.get(key) ?? 0) > clock()
    },

    async addGrant(grant) {
      grants.set(grant.id, grant)
      forgetGrants.at(grant.expiresAt, grant.id)
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
      for (const each of [forgetRecords, forgetKeys, forgetGrants]) each.stop()
    },
  }
}
