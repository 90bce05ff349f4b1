import type { BackchannelStore, Polled, Poller } from '../../../contracts/contracts.ts'
import { hashOf } from '../../../core/crypto/vault.ts'
import {
  type GrantRecord,
  isExpired,
  longestHoldSeconds,
  longestIntervalSeconds,
  pollToleranceMs,
  type RequestRecord,
  slowDownSeconds,
} from '../../../core/request.ts'
import { shareLine } from '../pubsub.ts'
import { createRun, type PoolLike } from './pool.ts'
import { postgresLine } from './pubsub.ts'
import { migrate } from './schema.ts'
import { type Columns, grantColumns, movable, requestColumns, statementsFor } from './statements.ts'

export type { PoolLike, QueryResult } from './pool.ts'

export interface PostgresStoreOptions {
  /** The PostgreSQL schema that holds the tables. Defaults to `express_ciba`. */
  readonly schema?: string
  /** Milliseconds after which a silent PostgreSQL counts as out of reach. Defaults to 2000. */
  readonly timeoutMs?: number
  /** Seconds between two removals of what is over; 0 leaves them to your own calls of `sweep`. Defaults to 60. */
  readonly sweepSeconds?: number
  /** Prepare each statement once per connection. Switch off behind a pooler that cannot. Defaults to `true`. */
  readonly prepare?: boolean
  /**
   * Pool that one connection is kept of for LISTEN, where polls are held (option `longPoll`). Defaults to `pool`; pass
   * another where that one goes through a pooler that hands connections around by transaction.
   */
  readonly listenOn?: PoolLike
}

export interface PostgresStore extends BackchannelStore {
  /** Creates the tables or brings them up to date. Call it before the first request; any number of processes may. */
  migrate(): Promise<void>
  /** Removes what is over, at most `limit` rows of each kind (1000 by default), and says how many it were. */
  sweep(limit?: number): Promise<number>
}

/**
 * Requests in PostgreSQL 12 or newer, for any number of processes. Every verb is one statement, so it is atomic and one
 * round trip; what was acknowledged is on disk as PostgreSQL's own `synchronous_commit` says.
 *
 * @param pool A Pool of `pg`. It stays yours to end.
 */
export function postgresStore(pool: PoolLike, options: PostgresStoreOptions = {}): PostgresStore {
  const { schema = 'express_ciba', timeoutMs = 2000, sweepSeconds = 60, prepare = true, listenOn = pool } = options
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) {
    throw new TypeError(
      'postgresStore: option "schema" must be a plain name: up to 40 lower-case letters, digits and _',
    )
  }
  const run = createRun(pool, timeoutMs, prepare)
  const sql = statementsFor(schema)
  const pace = [pollToleranceMs, slowDownSeconds, longestIntervalSeconds, longestHoldSeconds * 1000]

  async function sweep(limit = 1000): Promise<number> {
    let removed = 0
    for (const each of sql.sweeps) removed += (await run(each, [Date.now(), limit])).rowCount ?? 0
    return removed
  }

  const timer = sweepSeconds > 0 ? setInterval(sweepAll, sweepSeconds * 1000).unref() : undefined
  async function sweepAll(): Promise<void> {
    // an outage is for the verbs to report; the next round comes anyway
    while ((await sweep().catch(() => 0)) >= 1000);
  }

  async function find(id: string): Promise<RequestRecord | undefined> {
    const { rows } = await run(sql.find, [id, Date.now()])
    return rows[0] && recordOf<RequestRecord>(rows[0], requestColumns)
  }

  async function poll(id: string, poller: Poller, now: number, holdMs = 0): Promise<Polled | undefined> {
    const { rows } = await run(sql.poll, [id, poller.clientId, poller.authReqIdHash, now, holdMs, ...pace])
    const [row] = rows
    if (row === undefined) return undefined
    const record = recordOf<RequestRecord>(row, requestColumns)
    const early = row.early === true
    // in time and yet not stamped: the statement saw the row as it was before the polls that it waited for
    const outrun = row.stamped !== true && !early && record.status === 'pending' && !isExpired(record, now)
    return outrun ? poll(id, poller, now, holdMs) : { record, early }
  }

  return {
    migrate: () => migrate(pool, schema),
    sweep,

    async add(record, openLimit) {
      const values = [openLimit ?? null, record.receivedAt, ...valuesOf(record, requestColumns)]
      const { rows } = await run(sql.add, values)
      return rows[0]?.added ? 'added' : 'too_many_open'
    },

    find,

    poll,

    async move(id, { from, to, changes = {}, now }) {
      const values = movable.map((member) => (member === 'answer' ? json(changes.answer) : (changes[member] ?? null)))
      const [row] = (await run(sql.move, [id, from, now, to, ...values])).rows
      if (row === undefined) return undefined
      const record = recordOf<RequestRecord>(row, requestColumns)
      const moved = row.moved === true
      // the statement saw the row as it was before the winner of a race changed it
      const outrun = !moved && record.status === from && !isExpired(record, now)
      return { moved, record: (outrun && (await find(id))) || record }
    },

    async release(id, polledAt) {
      await run(sql.release, [id, polledAt])
    },

    listen: shareLine(postgresLine(listenOn, run, schema)),

    async firstSeen(key, until) {
      return (await run(sql.firstSeen, [hashOf(key), until, Date.now()])).rowCount === 1
    },

    async seen(key) {
      return (await run(sql.seen, [hashOf(key), Date.now()])).rowCount === 1
    },

    async addGrant(grant) {
      await run(sql.addGrant, valuesOf(grant, grantColumns))
    },

    async findGrant(id) {
      const { rows } = await run(sql.findGrant, [id, Date.now()])
      return rows[0] && recordOf<GrantRecord>(rows[0], grantColumns)
    },

    async rotate(id, { from, to, now, previousUntil, expiresAt }) {
      const { rows } = await run(sql.rotate, [id, from, to, now, previousUntil, expiresAt])
      return rows[0]?.last_rotation as 'rotated' | 'repeated' | 'reused' | undefined
    },

    async endGrant(id) {
      await run(sql.endGrant, [id])
    },

    async close() {
      clearInterval(timer)
    },
  }
}

/** Values of the columns, then everything else as one JSON text. */
function valuesOf<T extends object>(record: T, columns: Columns<T>): unknown[] {
  const rest: Partial<T> = { ...record }
  const values = columns.map(([member, , kind]) => {
    delete rest[member]
    return kind === 'json' ? json(record[member]) : (record[member] ?? null)
  })
  return [...values, JSON.stringify(rest)]
}

function recordOf<T>(row: Readonly<Record<string, unknown>>, columns: Columns<T>): T {
  const record = JSON.parse(String(row.rest))
  for (const [member, column, kind] of columns) {
    const value = row[column]
    if (value === null) continue
    // `bigint` comes as text, or as the host has taught `pg` to read it
    record[member] = kind === 'json' ? JSON.parse(String(value)) : kind === 'number' ? Number(value) : value
  }
  return record
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}
