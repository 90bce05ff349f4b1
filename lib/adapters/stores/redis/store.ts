import type { BackchannelStore } from '../../../contracts/contracts.ts'
import { hashOf } from '../../../core/crypto/vault.ts'
import {
  type GrantRecord,
  longestHoldSeconds,
  longestIntervalSeconds,
  pollToleranceMs,
  type RequestRecord,
  slowDownSeconds,
} from '../../../core/request.ts'
import { shareLine } from '../pubsub.ts'
import { createRun, type RedisLike } from './client.ts'
import { redisLine } from './pubsub.ts'
import * as scripts from './scripts.ts'

export type { IoredisLike, NodeRedisLike, RedisLike } from './client.ts'

export interface RedisStoreOptions {
  /** Before every key. Defaults to `ciba:`. */
  readonly prefix?: string
  /** Milliseconds after which a silent Redis counts as out of reach. Defaults to 2000. */
  readonly timeoutMs?: number
}

/** Members of a record that scripts look at or moves change. The rest is one text that is written once. */
const requestFields = [
  'status',
  'clientId',
  'sub',
  'authReqIdHash',
  'linkHash',
  'expiresAt',
  'keptUntil',
  'intervalSeconds',
  'lastPollAt',
  'slowDowns',
  'answer',
  'sealedDelivery',
] as const satisfies readonly (keyof RequestRecord)[]
const grantFields = [
  'tokenHash',
  'previousHash',
  'previousUntil',
  'expiresAt',
] as const satisfies readonly (keyof GrantRecord)[]

/**
 * Requests in Redis, for any number of processes. Every verb is one Lua script on one key, so it is atomic and one
 * round trip, on a cluster too; every key has an end. How much a crash of Redis may forget is for Redis' own
 * `appendfsync` to say.
 *
 * @param client A connected client of node-redis 5 or 6 (`redis`) or ioredis 5 or 6, single or cluster. It stays yours
 * to close.
 */
export function redisStore(
  client: RedisLike,
  { prefix = 'ciba:', timeoutMs = 2000 }: RedisStoreOptions = {},
): BackchannelStore {
  const run = createRun(client, timeoutMs)
  // the tag in braces picks the slot: whatever belongs to one request lives on one node
  const requestKey = (id: string) => `${prefix}request:{${id}}`
  const grantKey = (id: string) => `${prefix}grant:{${id}}`
  const openKey = (sub: string) => `${prefix}open:{${hashOf(sub)}}`
  const seenKey = (key: string) => `${prefix}seen:{${hashOf(key)}}`
  const line = redisLine(client, prefix, timeoutMs)
  const pace = [pollToleranceMs, slowDownSeconds, longestIntervalSeconds, longestHoldSeconds * 1000].map(String)

  return {
    async add(record, openLimit) {
      const { id, sub, receivedAt, expiresAt, keptUntil } = record
      const written = run(scripts.write, requestKey(id), String(keptUntil), ...fieldsOf(record, requestFields))
      if (sub === undefined) {
        await written
        return 'added'
      }
      // The user's set lives in another slot. Both are sent at once; what was written too early is taken back.
      const times = [String(receivedAt), String(expiresAt)]
      const counted = run(scripts.open, openKey(sub), id, ...times, openLimit === undefined ? '' : String(openLimit))
      const [writing, counting] = await Promise.allSettled([written, counted])
      if (writing.status === 'rejected') {
        forget(run(scripts.close, openKey(sub), id))
        throw writing.reason
      }
      if (counting.status === 'fulfilled' && counting.value === 1) return 'added'
      const removed = run(scripts.remove, requestKey(id))
      if (counting.status === 'rejected') {
        forget(removed)
        throw counting.reason
      }
      await removed
      return 'too_many_open'
    },

    async find(id) {
      return parsed<RequestRecord>(await run(scripts.read, requestKey(id)))
    },

    async poll(id, { clientId, authReqIdHash }, now, holdMs = 0) {
      const who = [JSON.stringify(clientId), JSON.stringify(authReqIdHash)]
      const answer = await run(scripts.poll, requestKey(id), ...who, String(now), String(holdMs), ...pace)
      const [early, fields] = (answer ?? []) as [number?, string[]?]
      const record = parsed<RequestRecord>(fields)
      return record === undefined ? undefined : { record, early: early === 1 }
    },

    async move(id, { from, to, changes = {}, now }) {
      const fields = fieldsOf({ ...changes, status: to }, requestFields)
      const kept = changes.keptUntil === undefined ? '' : String(changes.keptUntil)
      const answer = await run(scripts.move, requestKey(id), JSON.stringify(from), String(now), kept, ...fields)
      const [moved, members] = (answer ?? []) as [number?, string[]?]
      const record = parsed<RequestRecord>(members)
      if (record === undefined) return undefined
      // Nobody waits for this one: should it be lost, the set's own times end what it would have ended.
      if (moved === 1 && to !== from && record.sub !== undefined) {
        const key = openKey(record.sub)
        if (to === 'pending') forget(run(scripts.open, key, id, String(now), String(record.expiresAt), ''))
        else if (from === 'pending' || from === 'received') forget(run(scripts.close, key, id))
      }
      return { moved: moved === 1, record }
    },

    async release(id, polledAt) {
      await run(scripts.release, requestKey(id), String(polledAt))
    },

    ...(line === undefined ? {} : { listen: shareLine(line) }),

    async firstSeen(key, until) {
      return (await run(scripts.firstSeen, seenKey(key), String(until))) === 1
    },

    async seen(key) {
      return (await run(scripts.seen, seenKey(key))) === 1
    },

    async addGrant(grant) {
      await run(scripts.write, grantKey(grant.id), String(grant.expiresAt), ...fieldsOf(grant, grantFields))
    },

    async findGrant(id) {
      return parsed<GrantRecord>(await run(scripts.read, grantKey(id)))
    },

    async rotate(id, { from, to, now, previousUntil, expiresAt }) {
      const hashes = [JSON.stringify(from), JSON.stringify(to)]
      const times = [String(now), String(previousUntil), String(expiresAt)]
      const outcome = await run(scripts.rotate, grantKey(id), ...hashes, ...times)
      return (outcome ?? undefined) as 'rotated' | 'repeated' | 'reused' | undefined
    },

    async endGrant(id) {
      await run(scripts.remove, grantKey(id))
    },
  }
}

/** Fields and values: one for each member in `names`, and `rest` for all others. */
function fieldsOf(from: object, names: readonly string[]): string[] {
  const fields: string[] = []
  const rest: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined) continue
    if (names.includes(name)) fields.push(name, JSON.stringify(value))
    else rest[name] = value
  }
  return Object.keys(rest).length === 0 ? fields : [...fields, 'rest', JSON.stringify(rest)]
}

/** One object of what `fieldsOf` took apart. The texts are joined first, so that they are parsed in one go. */
function parsed<T>(fields: unknown): T | undefined {
  if (!Array.isArray(fields) || fields.length === 0) return undefined
  const members: string[] = []
  for (let n = 0; n < fields.length; n += 2) {
    members.push(fields[n] === 'rest' ? fields[n + 1].slice(1, -1) : `"${fields[n]}":${fields[n + 1]}`)
  }
  return JSON.parse(`{${members.join(',')}}`)
}

/** Lets a step run its course. Whether it succeeds makes no difference to anybody's answer. */
function forget(step: Promise<unknown>): void {
  step.catch(() => {})
}
