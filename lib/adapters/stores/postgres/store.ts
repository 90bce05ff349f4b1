import type { GrantRecord, Move, RequestRecord } from '../../../contracts/request.ts'
import type { BackchannelStore, Polled, Poller } from '../../../contracts/store.ts'
import { hashOf } from '../../../core/crypto/handles.ts'
import { maxHoldSeconds, maxIntervalSeconds, pollToleranceMs, slowDownSeconds } from '../../../core/pacing.ts'
import type { RotationOutcome } from '../../../core/refreshFamily.ts'
import { isExpired } from '../../../core/request.ts'
import { checkOptionNames, type OptionNames } from '../../optionNames.ts'
import { shareBus } from '../pubsub.ts'
import { createRun, type PoolLike, type Run, requirePool } from './pool.ts'
import { postgresBus } from './pubsub.ts'
import { columnValue, grantColumns, movedColumns, recordOf, requestColumns, valuesOf } from './rows.ts'
import { migrate } from './schema.ts'
import { statementsFor } from './statements.ts'

export type { ListeningClient, PoolLike, QueryResult } from './pool.ts'

/** What `postgresStore` takes besides its pool. */
export interface PostgresStoreOptions {
  /** The PostgreSQL schema that holds the tables. Defaults to `express_ciba`. */
  readonly schema?: string
  /** Seconds after which a silent PostgreSQL counts as out of reach. Defaults to 2. */
  readonly timeoutSeconds?: number
  /** Seconds between two removals of what has ended; 0 leaves them to your own calls of `sweep`. Defaults to 60. */
  readonly sweepSeconds?: number
  /** Prepare each statement once per connection. Switch off behind a pooler that cannot. Defaults to `true`. */
  readonly prepare?: boolean
  /**
   * Pool of which one connection is kept for LISTEN, where polls are held (option `polling.holdSeconds`). Defaults to
   * `pool`; pass another where that one goes through a pooler that shares connections by transaction.
   */
  readonly listenOn?: PoolLike
}

/** A store on PostgreSQL, and the care of its tables. */
export interface PostgresStore extends BackchannelStore {
  /** Creates the tables or brings them up to date. Call it before the first request; any number of processes may. */
  migrate(): Promise<void>
  /** Removes what has ended, at most `limit` rows of each kind (1000 by default), and says how many it were. */
  sweep(limit?: number): Promise<number>
}

const names: OptionNames<PostgresStoreOptions> = {
  schema: true,
  timeoutSeconds: true,
  sweepSeconds: true,
  prepare: true,
  listenOn: true,
}

/** Runs statements. */
interface Database {
  readonly run: Run
  readonly sql: ReturnType<typeof statementsFor>
}

/**
 * Requests in PostgreSQL 12 or newer, for any number of processes. Every verb is one statement, so it is atomic and one
 * round trip; what was acknowledged is on disk as PostgreSQL's own `synchronous_commit` says.
 *
 * @param pool A Pool of `pg`. Ending it is up to you.
 * @throws TypeError when `pool` is none, or an option is wrong or unknown.
 * @example
 * ```ts
 * import { Pool } from 'pg'
 * import { postgresStore } from 'express-ciba/stores/postgres'
 *
 * const store = postgresStore(new Pool({ connectionString: process.env.DATABASE_URL }))
 * await store.migrate()
 * ```
 */
export function postgresStore(pool: PoolLike, options: PostgresStoreOptions = {}): PostgresStore {
  requirePool(pool)
  checkOptionNames('postgresStore', options, names)
  const { schema = 'express_ciba', timeoutSeconds = 2, sweepSeconds = 60, prepare = true, listenOn = pool } = options
  requirePool(listenOn, 'listenOn')
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) {
    throw new TypeError(
      'express-ciba: postgresStore: option "schema" must be a plain name: up to 40 lower-case letters, digits and _',
    )
  }
  const db: Database = { run: createRun(pool, timeoutSeconds * 1000, prepare), sql: statementsFor(schema) }
  const { run, sql } = db
  const timer = sweepSeconds > 0 ? setInterval(() => sweepAll(db), sweepSeconds * 1000).unref() : undefined

  return {
    migrate: () => migrate(pool, schema),
    sweep: (limit = 1000) => sweep(db, limit),

    async add(record, openLimit) {
      const values = [openLimit ?? null, record.receivedAt, ...valuesOf(record, requestColumns)]
      return (await run(sql.add, values)).rows[0]?.added ? 'added' : 'too_many_open'
    },
    find: (id) => find(db, id),
    poll: (id, poller, now, holdMs) => poll(db, id, poller, now, holdMs),
    release: async (id, polledAt) => void (await run(sql.release, [id, polledAt])),
    move: (id, change) => move(db, id, change),
    subscribe: shareBus(postgresBus(listenOn, run, schema)),

    firstSeen: async (key, until) => (await run(sql.firstSeen, [hashOf(key), until, Date.now()])).rowCount === 1,
    seen: async (key) => (await run(sql.seen, [hashOf(key), Date.now()])).rowCount === 1,

    addGrant: async (grant) => void (await run(sql.addGrant, valuesOf(grant, grantColumns))),
    async findGrant(id) {
      const { rows } = await run(sql.findGrant, [id, Date.now()])
      return rows[0] && recordOf<GrantRecord>(rows[0], grantColumns)
    },
    async rotate(id, { from, to, now, previousUntil, expiresAt }) {
      const { rows } = await run(sql.rotate, [id, from, to, now, previousUntil, expiresAt])
      return rows[0]?.last_rotation as RotationOutcome | undefined
    },
    endGrant: async (id) => void (await run(sql.endGrant, [id])),

    close: async () => clearInterval(timer),
  }
}

async function find({ run, sql }: Database, id: string): Promise<RequestRecord | undefined> {
  const { rows } = await run(sql.find, [id, Date.now()])
  return rows[0] && recordOf<RequestRecord>(rows[0], requestColumns)
}

/** As `paceOf` of `core/pacing.ts` has them: parameters of the statement that does the same. */
const pacing = [pollToleranceMs, slowDownSeconds, maxIntervalSeconds, maxHoldSeconds * 1000]

async function poll(db: Database, id: string, poller: Poller, now: number, holdMs = 0): Promise<Polled | undefined> {
  const { rows } = await db.run(db.sql.poll, [id, poller.clientId, poller.authReqIdHash, now, holdMs, ...pacing])
  const [row] = rows
  if (row === undefined) return undefined
  const record = recordOf<RequestRecord>(row, requestColumns)
  const early = row.early === true
  // In time and yet not stamped: another poll changed the row meanwhile; the statement answered the row before that.
  const isStale = row.stamped !== true && !early && record.status === 'pending' && !isExpired(record, now)
  return isStale ? poll(db, id, poller, now, holdMs) : { record, early }
}

async function move(
  db: Database,
  id: string,
  { from, to, changes = {}, now }: Move,
): Promise<{ readonly moved: boolean; readonly record: RequestRecord } | undefined> {
  const values = movedColumns.map(([member, , kind]) => columnValue(kind, changes[member]))
  const [row] = (await db.run(db.sql.move, [id, from, now, to, ...values])).rows
  if (row === undefined) return undefined
  const record = recordOf<RequestRecord>(row, requestColumns)
  const moved = row.moved === true
  // Refused although the row looks right: another move won meanwhile; the statement answered the row before that.
  const isStale = !moved && record.status === from && !isExpired(record, now)
  return { moved, record: (isStale && (await find(db, id))) || record }
}

async function sweep({ run, sql }: Database, limit: number): Promise<number> {
  let removed = 0
  for (const each of sql.sweeps) removed += (await run(each, [Date.now(), limit])).rowCount ?? 0
  return removed
}

async function sweepAll(db: Database): Promise<void> {
  // the verbs report an outage; the next round comes anyway
  while ((await sweep(db, 1000).catch(() => 0)) >= 1000);
}
