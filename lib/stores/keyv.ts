import type { BackchannelStore } from '../contracts.ts'
import { type GrantRecord, isExpired, paceOf, type RequestRecord } from '../record.ts'

export function keyvStore(): BackchannelStore {
  const records = new Map<string, RequestRecord>()
  const grants = new Map<string, GrantRecord>()
  const seen = new Map<string, number>()
  return {
    async add(record, openLimit = Number.POSITIVE_INFINITY) {
      const open = [...records.values()].filter(
        (each) =>
          each.sub === record.sub &&
          record.sub !== undefined &&
          each.status === 'pending' &&
          !isExpired(each, record.receivedAt),
      )
      if (open.length >= openLimit) return 'too_many_open'
      records.set(record.id, record)
      return 'added'
    },
    async find(id) {
      return records.get(id)
    },
    async poll(id, poller, now) {
      const record = records.get(id)
      if (record?.clientId !== poller.clientId || record.authReqIdHash !== poller.authReqIdHash) return undefined
      if (record.status !== 'pending' || isExpired(record, now)) return { record, early: false }
      const pace = paceOf(record, now)
      if (pace === undefined) return { record, early: true }
      const { early, ...changes } = pace
      const next = { ...record, ...changes }
      records.set(id, next)
      return { record: next, early }
    },
    async move(id, { from, to, changes, now }) {
      const record = records.get(id)
      if (record === undefined) return undefined
      if (record.status !== from || isExpired(record, now)) return { moved: false, record }
      const next = { ...record, ...changes, status: to }
      records.set(id, next)
      return { moved: true, record: next }
    },
    async firstSeen(key, until) {
      if (seen.has(key)) return false
      seen.set(key, until)
      return true
    },
    async addGrant(grant) {
      grants.set(grant.id, grant)
    },
    async findGrant(id) {
      return grants.get(id)
    },
    async rotate() {
      return undefined
    },
    async endGrant(id) {
      grants.delete(id)
    },
  }
}
