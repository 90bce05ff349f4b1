import { Keyv } from 'keyv'
import type { BackchannelStore, Polled } from '../contracts.ts'
import { type GrantRecord, isExpired, paceOf, type RequestRecord, type RequestStatus } from '../record.ts'
import { createLocks } from './locks.ts'
import { rotated } from './rotated.ts'

/** The part of Keyv 5 and 6 that is used. */
export interface KeyvLike {
  get<T>(key: string): Promise<T | undefined>
  set(key: string, value: unknown, ttl?: number): Promise<unknown>
  delete(key: string): Promise<unknown>
  on(event: 'error', listener: (error: unknown) => void): unknown
  throwOnErrors?: boolean
  readonly opts?: { readonly store?: unknown }
}

/** Backends whose `delete` has several winners: they look first and delete after. */
const doubtful: Record<string, string> = {
  KeyvPostgres: '@keyv/postgres deletes in two steps: of several processes more than one can win. Use postgresStore',
  KeyvMysql: '@keyv/mysql deletes in two steps: of several processes more than one can win',
  KeyvSqlite: '@keyv/sqlite deletes in two steps: of several processes more than one can win',
}

/** Statuses that a request can still leave. Each has a ticket, and whoever deletes the ticket may make the move. */
const movable: readonly RequestStatus[] = ['received', 'pending', 'approved']

type Pace = Pick<RequestRecord, 'intervalSeconds' | 'slowDowns'> & { readonly lastPollAt: number }

/**
 * Requests in any Keyv 5 or 6 backend. Moves have one winner in one process on every backend, and across processes
 * wherever the backend's `delete` has one. The replay guard, the count of open requests and the rotation of refresh
 * tokens have one winner per process. Several processes are served best by `redisStore` and `postgresStore`.
 *
 * @param keyv Defaults to a new Keyv in memory.
 */
export function keyvStore(
  keyv: KeyvLike = new Keyv(),
  { warn = console.warn }: { readonly warn?: (text: string) => void } = {},
): BackchannelStore {
  const backend = watch(keyv)
  const locked = createLocks()
  const name = (keyv.opts?.store as object | undefined)?.constructor?.name ?? ''
  if (doubtful[name] !== undefined) warn(`express-ciba: keyvStore: ${doubtful[name]}`)

  async function read(id: string): Promise<RequestRecord | undefined> {
    const [record, pace] = await Promise.all([backend.get<RequestRecord>(`r:${id}`), backend.get<Pace>(`p:${id}`)])
    return record === undefined || pace === undefined ? record : { ...record, ...pace }
  }

  /** Ids of a user's open requests. */
  async function openRequests(sub: string, now: number): Promise<string[]> {
    const ids = (await backend.get<string[]>(`o:${sub}`)) ?? []
    const records = await Promise.all(ids.map((id) => backend.get<RequestRecord>(`r:${id}`)))
    return records.flatMap((each) => (each?.status === 'pending' && !isExpired(each, now) ? [each.id] : []))
  }

  async function write(record: RequestRecord, now: number): Promise<void> {
    const ttl = Math.max(1, record.keptUntil - now)
    await backend.set(`r:${record.id}`, record, ttl)
    if (movable.includes(record.status)) await backend.set(`t:${record.id}:${record.status}`, 1, ttl)
  }

  return {
    add: (record, openLimit) =>
      locked(`o:${record.sub}`, async () => {
        const { id, sub, receivedAt: now } = record
        if (sub !== undefined && openLimit !== undefined) {
          const open = await openRequests(sub, now)
          if (open.length >= openLimit) return 'too_many_open'
          await backend.set(`o:${sub}`, [...open, id], record.keptUntil - now)
        }
        await write(record, now)
        return 'added'
      }),

    find: read,

    poll: (id, poller, now) =>
      locked(id, async (): Promise<Polled | undefined> => {
        const record = await read(id)
        if (record?.clientId !== poller.clientId || record.authReqIdHash !== poller.authReqIdHash) return undefined
        if (record.status !== 'pending' || isExpired(record, now)) return { record, early: false }
        const pace = paceOf(record, now)
        if (pace === undefined) return { record, early: true }
        const { early, ...changes } = pace
        // beside the record, so that a poll in one process never writes over a decision in another
        await backend.set(`p:${id}`, changes, Math.max(1, record.keptUntil - now))
        return { record: { ...record, ...changes }, early }
      }),

    move: (id, { from, to, changes, now }) =>
      locked(id, async () => {
        const record = await read(id)
        if (record === undefined) return undefined
        if (record.status !== from || isExpired(record, now)) return { moved: false, record }
        if ((await backend.delete(`t:${id}:${from}`)) !== true)
          return { moved: false, record: (await read(id)) ?? record }
        const moved = { ...record, ...changes, status: to }
        await write(moved, now)
        return { moved: true, record: moved }
      }),

    firstSeen: (key, until) =>
      locked(`s:${key}`, async () => {
        if ((await backend.get(`s:${key}`)) !== undefined) return false
        await backend.set(`s:${key}`, 1, Math.max(1, until - Date.now()))
        return true
      }),

    addGrant: async (grant) => {
      await backend.set(`g:${grant.id}`, grant, Math.max(1, grant.expiresAt - grant.issuedAt))
    },

    findGrant: (id) => backend.get<GrantRecord>(`g:${id}`),

    rotate: (id, rotation) =>
      locked(`g:${id}`, async () => {
        const grant = await backend.get<GrantRecord>(`g:${id}`)
        if (grant === undefined || grant.expiresAt <= rotation.now) return undefined
        const { outcome, next } = rotated(grant, rotation)
        if (next === undefined) await backend.delete(`g:${id}`)
        else await backend.set(`g:${id}`, next, Math.max(1, next.expiresAt - rotation.now))
        return outcome
      }),

    endGrant: async (id) => {
      await backend.delete(`g:${id}`)
    },
  }
}

/**
 * Keyv tells of failures by an event and answers `undefined` or `false`, which would read as "not found".
 * Here they reject: by `throwOnErrors` where it is known, and by the event where it is not.
 */
function watch(keyv: KeyvLike): Pick<KeyvLike, 'get' | 'set' | 'delete'> {
  let failures = 0
  let last: unknown
  keyv.on('error', (error) => {
    failures += 1
    last = error
  })
  keyv.throwOnErrors = true
  const store = keyv.opts?.store
  if (typeof store === 'object' && store !== null && 'throwOnErrors' in store) store.throwOnErrors = true

  async function attempt<T>(step: () => Promise<T>): Promise<T> {
    const before = failures
    const result = await step()
    if (failures !== before) throw last
    return result
  }
  return {
    get: (key) => attempt(() => keyv.get(key)),
    set: (key, value, ttl) => attempt(() => keyv.set(key, value, ttl)),
    delete: (key) => attempt(() => keyv.delete(key)),
  }
}
