import type { GrantRecord, RequestRecord } from '../../../core/request.ts'
import type { Statement } from './pool.ts'

/** Where each member of a record is kept. What has no column is in `rest`, as JSON. */
export type Columns<T> = readonly (readonly [member: keyof T, column: string, kind: 'text' | 'number' | 'json'])[]

export const requestColumns = [
  ['id', 'id', 'text'],
  ['status', 'status', 'text'],
  ['clientId', 'client_id', 'text'],
  ['sub', 'sub', 'text'],
  ['authReqIdHash', 'auth_req_id_hash', 'text'],
  ['linkHash', 'link_hash', 'text'],
  ['expiresAt', 'expires_at', 'number'],
  ['keptUntil', 'kept_until', 'number'],
  ['intervalSeconds', 'interval_seconds', 'number'],
  ['lastPollAt', 'last_poll_at', 'number'],
  ['slowDowns', 'slow_downs', 'number'],
  ['answer', 'answer', 'json'],
  ['sealedDelivery', 'sealed_delivery', 'text'],
] as const satisfies Columns<RequestRecord>

export const grantColumns = [
  ['id', 'id', 'text'],
  ['tokenHash', 'token_hash', 'text'],
  ['previousHash', 'previous_hash', 'text'],
  ['previousUntil', 'previous_until', 'number'],
  ['expiresAt', 'expires_at', 'number'],
] as const satisfies Columns<GrantRecord>

/** Members that a move may change, in the order of its parameters from $4 on. */
export const movable = [
  'sub',
  'authReqIdHash',
  'linkHash',
  'expiresAt',
  'keptUntil',
  'intervalSeconds',
  'answer',
  'sealedDelivery',
] as const

/** Every statement, by verb. Each is atomic by itself. */
export function statementsFor(schema: string) {
  const requests = `${schema}.requests`
  const grants = `${schema}.grants`
  const statement = (verb: string, text: string): Statement => ({ name: `${schema}.${verb}`, text })
  const columnOf = new Map<string, string>(requestColumns.map(([member, column]) => [member, column]))
  const parameters = (from: number, count: number) => Array.from({ length: count }, (_, n) => `$${from + n}`).join(', ')
  const over = (verb: string, table: string, key: string, end: string) =>
    statement(
      verb,
      `DELETE FROM ${table} WHERE ${key} = ANY (ARRAY(
        SELECT ${key} FROM ${table} WHERE ${end} <= $1 ORDER BY ${end} LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    )

  // The rule is `paceOf`. $4 now, $5 hold (ms), $6 tolerance (ms), $7 step (s), $8 longest (s), $9 longest hold (ms).
  const early = 'coalesce($4 - last_poll_at < interval_seconds * 1000 - $6, false)'
  const held = 'last_poll_at - $4 BETWEEN 1 AND $9'
  const mine = 'id = $1 AND client_id = $2 AND auth_req_id_hash = $3'

  return {
    /** $1 limit, $2 now, then the columns and `rest`. */
    add: statement(
      'add',
      `SELECT ${schema}.add_request(
        (${parameters(3, requestColumns.length)}, ${`$${requestColumns.length + 3}`}, false)::${requests}, $1, $2) AS added`,
    ),
    find: statement('find', `SELECT * FROM ${requests} WHERE id = $1 AND kept_until > $2`),
    /** Writes where there is something to write, and answers the row either way. */
    poll: statement(
      'poll',
      `WITH paced AS (
        UPDATE ${requests} SET
          last_poll_at = $4 + CASE
            WHEN NOT ${early} THEN greatest(0, $5::bigint - interval_seconds * 1000)
            WHEN ${held} THEN greatest(0, last_poll_at - $4 - $7 * 1000)
            ELSE 0 END,
          last_poll_early = ${early},
          interval_seconds = CASE WHEN ${early} THEN least($8, interval_seconds + $7) ELSE interval_seconds END,
          slow_downs = slow_downs + CASE WHEN ${early} THEN 1 ELSE 0 END
        WHERE ${mine} AND status = 'pending' AND expires_at > $4 AND NOT (${early} AND interval_seconds >= $8)
        RETURNING *
      )
      SELECT true AS stamped, last_poll_early AS early, paced.* FROM paced
      UNION ALL
      SELECT false, status = 'pending' AND expires_at > $4 AND ${early}, ${requests}.* FROM ${requests}
      WHERE ${mine} AND NOT EXISTS (SELECT FROM paced)`,
    ),
    /** $1 id, $2 when the poll came. */
    release: statement(
      'release',
      `UPDATE ${requests} SET last_poll_at = $2 WHERE id = $1 AND status = 'pending' AND last_poll_at > $2`,
    ),
    /** $1 id, $2 from, $3 now, $4 to, then what changes. Answers the row as it stood when nothing was moved. */
    move: statement(
      'move',
      `WITH moved AS (
        UPDATE ${requests} SET
          status = $4, ${movable.map((member, n) => `${columnOf.get(member)} = coalesce($${n + 5}, ${columnOf.get(member)})`).join(', ')}
        WHERE id = $1 AND status = $2 AND expires_at > $3
        RETURNING *
      )
      SELECT true AS moved, moved.* FROM moved
      UNION ALL
      SELECT false, ${requests}.* FROM ${requests} WHERE id = $1 AND NOT EXISTS (SELECT FROM moved)`,
    ),
    /** $1 key, $2 until, $3 now. A row comes back to the first caller only. */
    firstSeen: statement(
      'first_seen',
      `INSERT INTO ${schema}.seen AS seen (key, kept_until) VALUES ($1, $2)
      ON CONFLICT (key) DO UPDATE SET kept_until = excluded.kept_until WHERE seen.kept_until <= $3
      RETURNING 1`,
    ),
    /** $1 key, $2 now. */
    seen: statement('seen', `SELECT 1 FROM ${schema}.seen WHERE key = $1 AND kept_until > $2`),
    addGrant: statement(
      'add_grant',
      `INSERT INTO ${grants} (${grantColumns.map(([, column]) => column).join(', ')}, rest)
      VALUES (${parameters(1, grantColumns.length + 1)})`,
    ),
    findGrant: statement('find_grant', `SELECT * FROM ${grants} WHERE id = $1 AND expires_at > $2`),
    /** The rule is `rotated`. $1 id, $2 from, $3 to, $4 now, $5 previousUntil, $6 expiresAt. An ended family is over. */
    rotate: statement(
      'rotate',
      `UPDATE ${grants} SET
        last_rotation = CASE WHEN token_hash = $2 THEN 'rotated'
          WHEN previous_hash = $2 AND previous_until > $4::bigint THEN 'repeated' ELSE 'reused' END,
        token_hash = $3,
        expires_at = CASE WHEN token_hash = $2 OR (previous_hash = $2 AND previous_until > $4) THEN $6::bigint ELSE 0 END,
        previous_hash = CASE WHEN token_hash = $2 THEN $2 ELSE previous_hash END,
        previous_until = CASE WHEN token_hash = $2 THEN $5 ELSE previous_until END
      WHERE id = $1 AND expires_at > $4
      RETURNING last_rotation`,
    ),
    endGrant: statement('end_grant', `DELETE FROM ${grants} WHERE id = $1`),
    /** $1 now, $2 how many. Rows that another process is removing are left to it. */
    sweeps: [
      over('sweep_requests', requests, 'id', 'kept_until'),
      over('sweep_seen', `${schema}.seen`, 'key', 'kept_until'),
      over('sweep_grants', grants, 'id', 'expires_at'),
    ],
  }
}
