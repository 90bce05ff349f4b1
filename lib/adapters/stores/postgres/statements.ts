import type { Statement } from './pool.ts'
import { grantColumns, movedColumns, requestColumns } from './rows.ts'

/** Every statement, by verb. Each is atomic by itself. */
export function statementsFor(schema: string) {
  return {
    ...requestStatements(schema),
    ...seenStatements(schema),
    ...grantStatements(schema),
    /** $1 now, $2 how many. Rows that another process is removing are left to it. */
    sweeps: [
      sweep(schema, 'sweep_requests', 'requests', 'id', 'kept_until'),
      sweep(schema, 'sweep_seen', 'seen', 'key', 'kept_until'),
      sweep(schema, 'sweep_grants', 'grants', 'id', 'expires_at'),
    ],
  }
}

function requestStatements(schema: string) {
  const table = `${schema}.requests`
  const statement = named(schema)
  const changes = movedColumns.map(([, column], n) => `${column} = coalesce($${n + 5}, ${column})`)

  // The rule is `paceOf` of `core/pacing.ts`.
  // $4 now, $5 hold (ms), $6 tolerance (ms), $7 step (s), $8 maximum interval (s), $9 maximum hold (ms).
  const early = 'coalesce($4 - last_poll_at < interval_seconds * 1000 - $6, false)'
  const held = 'last_poll_at - $4 BETWEEN 1 AND $9'
  const own = 'id = $1 AND client_id = $2 AND auth_req_id_hash = $3'

  return {
    /** $1 limit, $2 now, then the columns and `rest`. */
    add: statement(
      'add',
      `SELECT ${schema}.add_request(
        (${parameters(3, requestColumns.length + 1)}, false)::${table}, $1, $2) AS added`,
    ),
    find: statement('find', `SELECT * FROM ${table} WHERE id = $1 AND kept_until > $2`),
    /** Writes where there is something to write, and answers the row either way. */
    poll: statement(
      'poll',
      `WITH paced AS (
        UPDATE ${table} SET
          last_poll_at = $4 + CASE
            WHEN NOT ${early} THEN greatest(0, $5::bigint - interval_seconds * 1000)
            WHEN ${held} THEN greatest(0, last_poll_at - $4 - $7 * 1000)
            ELSE 0 END,
          last_poll_early = ${early},
          interval_seconds = CASE WHEN ${early} THEN least($8, interval_seconds + $7) ELSE interval_seconds END,
          slow_downs = slow_downs + CASE WHEN ${early} THEN 1 ELSE 0 END
        WHERE ${own} AND status = 'pending' AND expires_at > $4 AND NOT (${early} AND interval_seconds >= $8)
        RETURNING *
      )
      SELECT true AS stamped, last_poll_early AS early, paced.* FROM paced
      UNION ALL
      SELECT false, status = 'pending' AND expires_at > $4 AND ${early}, ${table}.* FROM ${table}
      WHERE ${own} AND NOT EXISTS (SELECT FROM paced)`,
    ),
    /** $1 id, $2 when the poll came. */
    release: statement(
      'release',
      `UPDATE ${table} SET last_poll_at = $2 WHERE id = $1 AND status = 'pending' AND last_poll_at > $2`,
    ),
    /** $1 id, $2 from, $3 now, $4 to, then what changes. Answers the row as it stood when nothing was moved. */
    move: statement(
      'move',
      `WITH moved AS (
        UPDATE ${table} SET
          status = $4, ${changes.join(', ')}
        WHERE id = $1 AND status = $2 AND expires_at > $3
        RETURNING *
      )
      SELECT true AS moved, moved.* FROM moved
      UNION ALL
      SELECT false, ${table}.* FROM ${table} WHERE id = $1 AND NOT EXISTS (SELECT FROM moved)`,
    ),
  }
}

function seenStatements(schema: string) {
  const table = `${schema}.seen`
  const statement = named(schema)
  return {
    /** $1 key, $2 until, $3 now. A row comes back to the first caller only. */
    firstSeen: statement(
      'first_seen',
      `INSERT INTO ${table} AS seen (key, kept_until) VALUES ($1, $2)
      ON CONFLICT (key) DO UPDATE SET kept_until = excluded.kept_until WHERE seen.kept_until <= $3
      RETURNING 1`,
    ),
    /** $1 key, $2 now. */
    seen: statement('seen', `SELECT 1 FROM ${table} WHERE key = $1 AND kept_until > $2`),
  }
}

function grantStatements(schema: string) {
  const table = `${schema}.grants`
  const statement = named(schema)
  return {
    addGrant: statement(
      'add_grant',
      `INSERT INTO ${table} (${grantColumns.map(([, column]) => column).join(', ')}, rest)
      VALUES (${parameters(1, grantColumns.length + 1)})`,
    ),
    findGrant: statement('find_grant', `SELECT * FROM ${table} WHERE id = $1 AND expires_at > $2`),
    /**
     * The rule is `rotateFamily` of `core/refreshFamily.ts`. A family that ends is not deleted, but expires at once.
     * $1 id, $2 from, $3 to, $4 now, $5 previousUntil, $6 expiresAt.
     */
    rotate: statement(
      'rotate',
      `UPDATE ${table} SET
        last_rotation = CASE WHEN token_hash = $2 THEN 'rotated'
          WHEN previous_hash = $2 AND previous_until > $4::bigint THEN 'repeated' ELSE 'reused' END,
        token_hash = $3,
        expires_at = CASE WHEN token_hash = $2 OR (previous_hash = $2 AND previous_until > $4)
          THEN $6::bigint ELSE 0 END,
        previous_hash = CASE WHEN token_hash = $2 THEN $2 ELSE previous_hash END,
        previous_until = CASE WHEN token_hash = $2 THEN $5 ELSE previous_until END
      WHERE id = $1 AND expires_at > $4
      RETURNING last_rotation`,
    ),
    endGrant: statement('end_grant', `DELETE FROM ${table} WHERE id = $1`),
  }
}

function sweep(schema: string, verb: string, table: string, key: string, end: string): Statement {
  return named(schema)(
    verb,
    `DELETE FROM ${schema}.${table} WHERE ${key} = ANY (ARRAY(
      SELECT ${key} FROM ${schema}.${table} WHERE ${end} <= $1 ORDER BY ${end} LIMIT $2 FOR UPDATE SKIP LOCKED))`,
  )
}

/** A statement is prepared under a name of its own; `pg` refuses two texts under one name. */
function named(schema: string): (verb: string, text: string) => Statement {
  return (verb, text) => ({ name: `${schema}.${verb}`, text })
}

/** `$3, $4, $5` for 3 and 3. */
function parameters(from: number, count: number): string {
  return Array.from({ length: count }, (_, n) => `$${from + n}`).join(', ')
}
