import type { Move, RequestRecord, RequestStatus } from '../../../contracts/request.ts'
import type { Polled, Poller } from '../../../contracts/store.ts'
import { hashOf } from '../../../core/crypto/handles.ts'
import { paceOf } from '../../../core/pacing.ts'
import { isExpired } from '../../../core/request.ts'
import type { Access } from './access.ts'

// Keys: `r:` the record, `p:` what polls write, `t:` the single-use key of each status, `o:` a user's open requests

/** Statuses that a request can still leave. Each has a single-use key; the caller that deletes it makes the move. */
const movable: readonly RequestStatus[] = ['received', 'pending', 'approved', 'delivering']

/** What polls write. It is kept beside the record, so that a poll never overwrites a decision of another process. */
type Pace = Pick<RequestRecord, 'intervalSeconds' | 'slowDowns'> & { readonly lastPollAt: number }

export async function find({ backend }: Access, id: string): Promise<RequestRecord | undefined> {
  const [record, pace] = await Promise.all([backend.get<RequestRecord>(`r:${id}`), backend.get<Pace>(`p:${id}`)])
  return record === undefined || pace === undefined ? record : { ...record, ...pace }
}

export async function add(
  access: Access,
  record: RequestRecord,
  openLimit: number | undefined,
): Promise<'added' | 'too_many_open'> {
  const { id, sub, receivedAt, expiresAt } = record
  if (sub === undefined) {
    await write(access, record)
    return 'added'
  }
  return changeOpen(access, sub, async (all) => {
    const open = all.filter(([, end]) => end > receivedAt)
    if (openLimit !== undefined && open.length >= openLimit) return [all, 'too_many_open']
    await write(access, record)
    return [[...open, [id, expiresAt]], 'added']
  })
}

export function poll(access: Access, id: string, poller: Poller, now: number, holdMs = 0): Promise<Polled | undefined> {
  return access.inTurn(id, async () => {
    const record = await find(access, id)
    if (record?.clientId !== poller.clientId || record.authReqIdHash !== poller.authReqIdHash) return undefined
    if (record.status !== 'pending' || isExpired(record, now)) return { record, early: false }
    const pace = paceOf(record, now, holdMs)
    if (pace === undefined) return { record, early: true }
    const { early, ...changes } = pace
    await access.backend.set(`p:${id}`, changes, record.keptUntil)
    return { record: { ...record, ...changes }, early }
  })
}

export function release({ backend, inTurn }: Access, id: string, polledAt: number): Promise<void> {
  return inTurn(id, async () => {
    const pace = await backend.get<Pace>(`p:${id}`)
    const record = pace && (await backend.get<RequestRecord>(`r:${id}`))
    if (record?.status !== 'pending') return
    await backend.set(`p:${id}`, { ...pace, lastPollAt: polledAt }, record.keptUntil)
  })
}

export async function move(access: Access, id: string, change: Move) {
  const result = await access.inTurn(id, () => moveRecord(access, id, change))
  const sub = result?.record.sub
  if (result?.moved && sub !== undefined && change.to !== change.from) {
    const { expiresAt } = result.record
    await changeOpen(access, sub, async (open) => {
      const others = open.filter((each) => each[0] !== id)
      if (change.to === 'pending') return [[...others, [id, expiresAt]], undefined]
      return [others.length === open.length ? open : others, undefined]
    })
  }
  return result
}

async function moveRecord(access: Access, id: string, { from, to, changes, now }: Move) {
  const record = await find(access, id)
  if (record === undefined) return undefined
  if (record.status !== from || isExpired(record, now)) return { moved: false, record }
  const moved = { ...record, ...changes, status: to }
  if (!movable.includes(from)) {
    // a way back: only the caller that made the move to this status takes it
    await write(access, moved)
    return { moved: true, record: moved }
  }
  const isWinner = await access.singleUse.use(keyOf(record), record.keptUntil, () => write(access, moved))
  if (isWinner) return { moved: true, record: moved }
  const current = await access.singleUse.afterWinner(
    () => find(access, id),
    (is) => is?.status !== from,
  )
  return { moved: false, record: current ?? record }
}

/** The single-use key is written first: a crash in between leaves one too many, never one too few. */
async function write({ backend, singleUse }: Access, record: RequestRecord): Promise<void> {
  if (movable.includes(record.status)) await singleUse.put(keyOf(record), record.keptUntil)
  await backend.set(`r:${record.id}`, record, record.keptUntil)
}

function keyOf({ id, status }: Pick<RequestRecord, 'id' | 'status'>): string {
  return `t:${id}:${status}`
}

/** Open requests of a user: id and end. */
type OpenRequests = readonly (readonly [id: string, expiresAt: number])[]

/** Reads, changes and writes a user's open requests. */
function changeOpen<T>(
  { backend, inTurn }: Access,
  sub: string,
  step: (open: OpenRequests) => Promise<[OpenRequests, T]>,
): Promise<T> {
  const key = `o:${hashOf(sub)}`
  return inTurn(key, async () => {
    const open = (await backend.get<OpenRequests>(key)) ?? []
    const [next, result] = await step(open)
    const until = Math.max(...next.map(([, expiresAt]) => expiresAt))
    if (next !== open) await (next.length === 0 ? backend.delete(key) : backend.set(key, next, until))
    return result
  })
}
