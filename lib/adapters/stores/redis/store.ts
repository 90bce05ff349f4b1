import type { GrantRecord, Move, RequestRecord, Rotation } from '../../../contracts/request.ts'
import type { BackchannelStore, Polled, Poller } from '../../../contracts/store.ts'
import { hashOf } from '../../../core/crypto/handles.ts'
import { omitUndefined } from '../../../core/json.ts'
import { maxHoldSeconds, maxIntervalSeconds, pollToleranceMs, slowDownSeconds } from '../../../core/pacing.ts'
import type { RotationOutcome } from '../../../core/refreshFamily.ts'
import { checkOptionNames } from '../../optionNames.ts'
import { shareBus } from '../pubsub.ts'
import { createRun, type RedisLike, type Run, requireClient } from './client.ts'
import { redisBus } from './pubsub.ts'
import { fieldsOf, grantFields, recordOf, requestFields } from './records.ts'
import * as scripts from './scripts.ts'

export type { IoredisLike, NodeRedisLike, RedisLike } from './client.ts'

/** What `redisStore` takes besides its client. */
export interface RedisStoreOptions {
  /** Before every key. Defaults to `ciba:`. */
  readonly prefix?: string
  /** Seconds after which a silent Redis counts as out of reach. Defaults to 2. */
  readonly timeoutSeconds?: number
}

/** Runs scripts, and names keys. The tag in braces picks the slot of a cluster: one request, one node. */
interface Redis {
  readonly run: Run
  requestKey(id: string): string
  grantKey(id: string): string
  openKey(sub: string): string
  seenKey(key: string): string
}

/**
 * Requests in Redis, for any number of processes. Every verb is one Lua script on one key, so it is atomic and one
 * round trip, on a cluster too; every key expires. How much a crash of Redis may lose depends on its own `appendfsync`.
 *
 * @param client A connected client of node-redis 5 or 6 (`redis`) or ioredis 5 or 6, single or cluster. Closing it is
 * up to you.
 * @throws TypeError when it is not a client, or an option is unknown.
 * @example
 * ```ts
 * import { createClient } from 'redis'
 * import { redisStore } from 'express-ciba/stores/redis'
 *
 * const store = redisStore(await createClient({ url: 'redis://127.0.0.1:6379' }).connect())
 * ```
 */
export function redisStore(client: RedisLike, options: RedisStoreOptions = {}): BackchannelStore {
  requireClient(client)
  checkOptionNames('redisStore', options, { prefix: true, timeoutSeconds: true })
  const { prefix = 'ciba:', timeoutSeconds = 2 } = options
  const timeoutMs = Math.round(timeoutSeconds * 1000) // node-redis takes whole ones only
  const redis: Redis = {
    run: createRun(client, timeoutMs),
    requestKey: (id) => `${prefix}request:{${id}}`,
    grantKey: (id) => `${prefix}grant:{${id}}`,
    openKey: (sub) => `${prefix}open:{${hashOf(sub)}}`,
    seenKey: (key) => `${prefix}seen:{${hashOf(key)}}`,
  }
  const { run, requestKey, grantKey, seenKey } = redis
  const openBus = redisBus(client, prefix, timeoutMs)

  return {
    add: (record, openLimit) => add(redis, record, openLimit),
    find: async (id) => recordOf<RequestRecord>(await run(scripts.read, requestKey(id))),
    poll: (id, poller, now, holdMs) => poll(redis, id, poller, now, holdMs),
    release: async (id, polledAt) => void (await run(scripts.release, requestKey(id), String(polledAt))),
    move: (id, change) => move(redis, id, change),
    ...omitUndefined({ subscribe: openBus && shareBus(openBus) }),

    firstSeen: async (key, until) => (await run(scripts.firstSeen, seenKey(key), String(until))) === 1,
    seen: async (key) => (await run(scripts.seen, seenKey(key))) === 1,

    async addGrant(grant) {
      await run(scripts.write, grantKey(grant.id), String(grant.expiresAt), ...fieldsOf(grant, grantFields))
    },
    findGrant: async (id) => recordOf<GrantRecord>(await run(scripts.read, grantKey(id))),
    rotate: (id, rotation) => rotate(redis, id, rotation),
    endGrant: async (id) => void (await run(scripts.remove, grantKey(id))),
  }
}

async function add(
  { run, requestKey, openKey }: Redis,
  record: RequestRecord,
  openLimit: number | undefined,
): Promise<'added' | 'too_many_open'> {
  const { id, sub, receivedAt, expiresAt, keptUntil } = record
  const written = run(scripts.write, requestKey(id), String(keptUntil), ...fieldsOf(record, requestFields))
  if (sub === undefined) {
    await written
    return 'added'
  }
  // The user's set is in another slot. Both commands are sent at once; a request that may not be added is removed.
  const times = [String(receivedAt), String(expiresAt)]
  const counted = run(scripts.open, openKey(sub), id, ...times, openLimit === undefined ? '' : String(openLimit))
  const [writing, counting] = await Promise.allSettled([written, counted])
  if (writing.status === 'rejected') {
    ignore(run(scripts.close, openKey(sub), id))
    throw writing.reason
  }
  if (counting.status === 'fulfilled' && counting.value === 1) return 'added'
  const removed = run(scripts.remove, requestKey(id))
  if (counting.status === 'rejected') {
    ignore(removed)
    throw counting.reason
  }
  await removed
  return 'too_many_open'
}

/** As `paceOf` of `core/pacing.ts` has them: arguments of the script that does the same. */
const pacing = [pollToleranceMs, slowDownSeconds, maxIntervalSeconds, maxHoldSeconds * 1000].map(String)

async function poll(
  { run, requestKey }: Redis,
  id: string,
  { clientId, authReqIdHash }: Poller,
  now: number,
  holdMs = 0,
): Promise<Polled | undefined> {
  const owner = [JSON.stringify(clientId), JSON.stringify(authReqIdHash)]
  const answer = await run(scripts.poll, requestKey(id), ...owner, String(now), String(holdMs), ...pacing)
  const [early, fields] = (answer ?? []) as [number?, string[]?]
  const record = recordOf<RequestRecord>(fields)
  return record === undefined ? undefined : { record, early: early === 1 }
}

async function move(
  { run, requestKey, openKey }: Redis,
  id: string,
  { from, to, changes = {}, now }: Move,
): Promise<{ readonly moved: boolean; readonly record: RequestRecord } | undefined> {
  const fields = fieldsOf({ ...changes, status: to }, requestFields)
  const keptUntil = changes.keptUntil === undefined ? '' : String(changes.keptUntil)
  const answer = await run(scripts.move, requestKey(id), JSON.stringify(from), String(now), keptUntil, ...fields)
  const [moved, members] = (answer ?? []) as [number?, string[]?]
  const record = recordOf<RequestRecord>(members)
  if (record === undefined) return undefined
  // Not awaited: should this be lost, the request leaves the user's set when it expires.
  if (moved === 1 && to !== from && record.sub !== undefined) {
    const key = openKey(record.sub)
    if (to === 'pending') ignore(run(scripts.open, key, id, String(now), String(record.expiresAt), ''))
    else if (from === 'pending' || from === 'received') ignore(run(scripts.close, key, id))
  }
  return { moved: moved === 1, record }
}

async function rotate({ run, grantKey }: Redis, id: string, { from, to, now, previousUntil, expiresAt }: Rotation) {
  const hashes = [JSON.stringify(from), JSON.stringify(to)]
  const times = [String(now), String(previousUntil), String(expiresAt)]
  const outcome = await run(scripts.rotate, grantKey(id), ...hashes, ...times)
  return (outcome ?? undefined) as RotationOutcome | undefined
}

/** A step that is not awaited, and whose failure changes no answer. */
function ignore(step: Promise<unknown>): void {
  step.catch(() => {})
}
