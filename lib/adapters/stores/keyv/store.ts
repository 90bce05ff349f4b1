import { Keyv } from 'keyv'
import type { BackchannelStore, Polled } from '../../../contracts/contracts.ts'
import { hashOf } from '../../../core/crypto/vault.ts'
import { rotated } from '../../../core/refreshFamily.ts'
import {
  type GrantRecord,
  isExpired,
  paceOf,
  type RequestRecord,
  type RequestStatus,
  type Rotation,
} from '../../../core/request.ts'
import { createBackend, type KeyvLike } from './backend.ts'
import { doubtAbout } from './capabilities.ts'
import { createLocks } from './mutex.ts'
import { createTickets } from './singleUseKeys.ts'

export type { KeyvLike } from './backend.ts'

/** Statuses that a request can still leave. Each has a ticket, and whoever deletes the ticket may make the move. */
const movable: readonly RequestStatus[] = ['received', 'pending', 'approved', 'delivering']

type Pace = Pick<RequestRecord, 'intervalSeconds' | 'slowDowns'> & { readonly lastPollAt: number }

/** Open requests of a user: id and end. */
type OpenRequests = readonly (readonly [id: string, expiresAt: number])[]

/**
 * Requests in any Keyv 5 or 6 backend. Moves and rotations have one winner in one process on every backend, and across
 * processes wherever the backend's `delete` has one. The replay guard and the count of open requests hold per process.
 * Several processes are served best by `redisStore` and `postgresStore`.
 *
 * @param keyv Defaults to a new Keyv in memory.
 */
export function keyvStore(
  keyv: KeyvLike = new Keyv(),
  { warn = console.warn }: { readonly warn?: (text: string) => void } = {},
): BackchannelStore {
  const backend = createBackend(keyv)
  const locked = createLocks()
  const tickets = createTickets(backend)
  const doubt = doubtAbout(backend.kind)
  if (doubt !== undefined) warn(`express-ciba: keyvStore: ${doubt}`)

  async function read(id: string): Promise<RequestRecord | undefined> {
    const [record, pace] = await Promise.all([backend.get<RequestRecord>(`r:${id}`), backend.get<Pace>(`p:${id}`)])
    return record === undefined || pace === undefined ? record : { ...record, ...pace }
  }

  /** The ticket is there before the record: a crash in between leaves a ticket too many, never one too few. */
  async function write(record: RequestRecord): Promise<void> {
    if (movable.includes(record.status)) await tickets.make(ticketOf(record), record.keptUntil)
    await backend.set(`r:${record.id}`, record, record.keptUntil)
  }

  /** Writes what a rotation makes of a family. */
  async function apply(grant: GrantRecord, rotation: Rotation): Promise<'rotated' | 'repeated' | 'reused'> {
    const { outcome, next } = rotated(grant, rotation)
    if (next === undefined) {
      await backend.delete(`g:${grant.id}`)
    } else {
      await tickets.make(`u:${grant.id}:${next.tokenHash}`, next.expiresAt)
      await backend.set(`g:${grant.id}`, next, next.expiresAt)
    }
    return outcome
  }

  /** Reads, changes and writes a user's open requests. */
  function openRequests<T>(sub: string, step: (open: OpenRequests) => Promise<[OpenRequests, T]>): Promise<T> {
    const key = `o:${hashOf(sub)}`
    return locked(key, async () => {
      const open = (await backend.get<OpenRequests>(key)) ?? []
      const [next, result] = await step(open)
      const until = Math.max(...next.map(([, expiresAt]) => expiresAt))
      if (next !== open) await (next.length === 0 ? backend.delete(key) : backend.set(key, next, until))
      return result
    })
  }

  return {
    async add(record, openLimit) {
      const { id, sub, receivedAt, expiresAt } = record
      if (sub === undefined) {
        await write(record)
        return 'added'
      }
      return openRequests(sub, async (all) => {
        const open = all.filter(([, end]) => end > receivedAt)
        if (openLimit !== undefined && open.length >= openLimit) return [all, 'too_many_open']
        await write(record)
        return [[...open, [id, expiresAt]], 'added']
      })
    },

    find: read,

    poll: (id, poller, now, holdMs = 0) =>
      locked(id, async (): Promise<Polled | undefined> => {
        const record = await read(id)
        if (record?.clientId !== poller.clientId || record.authReqIdHash !== poller.authReqIdHash) return undefined
        if (record.status !== 'pending' || isExpired(record, now)) return { record, early: false }
        const pace = paceOf(record, now, holdMs)
        if (pace === undefined) return { record, early: true }
        const { early, ...changes } = pace
        // beside the record, so that a poll in one process never writes over a decision in another
        await backend.set(`p:${id}`, changes, record.keptUntil)
        return { record: { ...record, ...changes }, early }
      }),

    release: (id, polledAt) =>
      locked(id, async () => {
        const pace = await backend.get<Pace>(`p:${id}`)
        const record = pace && (await backend.get<RequestRecord>(`r:${id}`))
        if (record?.status === 'pending')
          await backend.set(`p:${id}`, { ...pace, lastPollAt: polledAt }, record.keptUntil)
      }),

    async move(id, { from, to, changes, now }) {
      const result = await locked(id, async () => {
        const record = await read(id)
        if (record === undefined) return undefined
        if (record.status !== from || isExpired(record, now)) return { moved: false, record }
        const moved = { ...record, ...changes, status: to }
        const make = () => write(moved)
        // the way back from another status has one mover at most, who won the way there
        if (!movable.includes(from)) await make()
        if (!movable.includes(from) || (await tickets.use(ticketOf(record), record.keptUntil, make))) {
          return { moved: true, record: moved }
        }
        const stands = await tickets.afterWinner(
          () => read(id),
          (is) => is?.status !== from,
        )
        return { moved: false, record: stands ?? record }
      })
      const sub = result?.record.sub
      if (result?.moved && sub !== undefined && to !== from) {
        const { expiresAt } = result.record
        await openRequests(sub, async (open) => {
          const others = open.filter((each) => each[0] !== id)
          if (to === 'pending') return [[...others, [id, expiresAt]], undefined]
          return [others.length === open.length ? open : others, undefined]
        })
      }
      return result
    },

    firstSeen: (key, until) =>
      locked(`s:${key}`, async () => {
        const place = `s:${hashOf(key)}`
        if ((await backend.get(place)) !== undefined) return false
        await backend.set(place, 1, until)
        return true
      }),

    seen: async (key) => (await backend.get(`s:${hashOf(key)}`)) !== undefined,

    async addGrant(grant) {
      await tickets.make(`u:${grant.id}:${grant.tokenHash}`, grant.expiresAt)
      await backend.set(`g:${grant.id}`, grant, grant.expiresAt)
    },

    findGrant: (id) => backend.get<GrantRecord>(`g:${id}`),

    rotate: (id, rotation) =>
      locked(`g:${id}`, async () => {
        const find = () => backend.get<GrantRecord>(`g:${id}`)
        const { from, now } = rotation
        const grant = await find()
        if (grant === undefined || grant.expiresAt <= now) return undefined
        if (grant.tokenHash !== from) return apply(grant, rotation)
        const write = () => apply(grant, rotation)
        if (await tickets.use(`u:${id}:${from}`, grant.expiresAt, write)) return 'rotated'
        const next = await tickets.afterWinner(find, (is) => is?.tokenHash !== from)
        return next && apply(next, rotation)
      }),

    endGrant: (id) =>
      locked(`g:${id}`, async () => {
        const find = () => backend.get<GrantRecord>(`g:${id}`)
        const grant = await find()
        if (grant === undefined) return
        // a rotation under way in another process would write the family anew: first it has to be over
        if (!(await backend.delete(`u:${id}:${grant.tokenHash}`))) {
          await tickets.afterWinner(find, (is) => is?.tokenHash !== grant.tokenHash).catch(() => {})
        }
        await backend.delete(`g:${id}`)
      }),

    async close() {
      backend.stop()
    },
  }
}

function ticketOf({ id, status }: Pick<RequestRecord, 'id' | 'status'>): string {
  return `t:${id}:${status}`
}
