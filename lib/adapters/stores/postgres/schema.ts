import type { PoolLike } from './pool.ts'

/**
 * What each version of the schema adds to the one before. Released versions never change.
 * JSON is kept as text: `jsonb` refuses U+0000, which a client may send.
 */
const versions: readonly ((schema: string) => string)[] = [
  (schema) => `
  CREATE TABLE ${schema}.requests (
    id text PRIMARY KEY,
    status text NOT NULL,
    client_id text NOT NULL,
    sub text,
    auth_req_id_hash text,
    link_hash text,
    expires_at bigint NOT NULL,
    kept_until bigint NOT NULL,
    interval_seconds int NOT NULL,
    last_poll_at bigint,
    slow_downs int NOT NULL,
    answer text,
    sealed_delivery text,
    rest text NOT NULL,
    last_poll_early boolean NOT NULL
  ) WITH (fillfactor = 70); -- free space, so that a poll stays on its page
  CREATE INDEX requests_open ON ${schema}.requests (sub, expires_at) WHERE status IN ('received', 'pending');
  CREATE INDEX requests_over ON ${schema}.requests (kept_until);

  CREATE TABLE ${schema}.seen (key text PRIMARY KEY, kept_until bigint NOT NULL);
  CREATE INDEX seen_over ON ${schema}.seen (kept_until);

  CREATE TABLE ${schema}.grants (
    id text PRIMARY KEY,
    token_hash text NOT NULL,
    previous_hash text,
    previous_until bigint,
    last_rotation text,
    expires_at bigint NOT NULL,
    rest text NOT NULL
  );
  CREATE INDEX grants_over ON ${schema}.grants (expires_at);

  -- Two adds for one user have to see each other, so the second waits: a statement begun before would count too few.
  CREATE FUNCTION ${schema}.add_request(request ${schema}.requests, open_limit int, at_ms bigint) RETURNS boolean
  LANGUAGE plpgsql AS $$
  BEGIN
    IF request.sub IS NOT NULL AND open_limit IS NOT NULL THEN
      PERFORM pg_advisory_xact_lock(hashtextextended('express-ciba ' || request.sub, 0));
      IF (${countOpen(schema, 'request.sub', 'at_ms')}) >= open_limit THEN
        RETURN false;
      END IF;
    END IF;
    INSERT INTO ${schema}.requests SELECT request.*;
    RETURN true;
  END $$;
  `,
]

/** How many requests of a user are open. */
export function countOpen(schema: string, sub: string, now: string): string {
  return `SELECT count(*) FROM ${schema}.requests
    WHERE sub = ${sub} AND status IN ('received', 'pending') AND expires_at > ${now}`
}

/** Brings the schema up to date, in one transaction. Any number of processes may do so at once: they take turns. */
export async function migrate(pool: PoolLike, schema: string): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('express-ciba migrate ${schema}', 0))`)
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
    const table = `${schema}.versions`
    await client.query(`CREATE TABLE IF NOT EXISTS ${table} (version int PRIMARY KEY, at timestamptz DEFAULT now())`)
    const { rows } = await client.query(`SELECT coalesce(max(version), 0) AS reached FROM ${table}`)
    const reached = Number(rows[0]?.reached)
    for (const [n, change] of versions.entries()) {
      if (n < reached) continue
      await client.query(change(schema))
      await client.query(`INSERT INTO ${table} (version) VALUES ($1)`, [n + 1])
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  } finally {
    client.release()
  }
}
