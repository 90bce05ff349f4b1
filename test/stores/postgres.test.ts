import { expect } from 'chai'
import pg from 'pg'
import { countOpen } from '../../lib/adapters/stores/postgres/schema.ts'
import { statementsFor } from '../../lib/adapters/stores/postgres/statements.ts'
import { type PoolLike, postgresStore } from '../../lib/adapters/stores/postgres/store.ts'
import { grantRecord, requestRecord } from '../../lib/testing/records.ts'
import { type Server, skipWithout, startPostgres, until } from '../helpers/servers.ts'

describe('postgresStore', function () {
  this.timeout(30_000)
  let now = Date.now()
  beforeEach(() => {
    now = Date.now()
  })
  let server: Server
  let pool: pg.Pool
  before(async function () {
    skipWithout(this, 'postgres')
    server = await startPostgres()
    pool = new pg.Pool({ connectionString: server.url })
    await postgresStore(pool).migrate()
  })
  after(async () => {
    await pool?.end()
    await server?.close()
  })

  it('needs one round trip for each verb', async () => {
    let trips = 0
    const counting: PoolLike = {
      query: (query) => {
        trips += 1
        return pool.query(query)
      },
      connect: () => pool.connect(),
      on: () => {},
    }
    const store = postgresStore(counting)
    const record = requestRecord()
    const grant = grantRecord()
    const poller = { clientId: record.clientId, authReqIdHash: record.authReqIdHash ?? '' }
    const times = { now, previousUntil: now, expiresAt: now + 60_000 }
    const verbs: [string, () => Promise<unknown>][] = [
      ['add', () => store.add(record, 5)],
      ['find', () => store.find(record.id)],
      ['poll', () => store.poll(record.id, poller, now)],
      ['settle', () => store.move(record.id, { from: 'pending', to: 'approved', now })],
      ['redeem', () => store.move(record.id, { from: 'approved', to: 'redeemed', now })],
      ['redeem again', () => store.move(record.id, { from: 'approved', to: 'redeemed', now })],
      ['firstSeen', () => store.firstSeen(record.id, now + 60_000)],
      ['seen', () => store.seen(record.id)],
      ['addGrant', () => store.addGrant(grant)],
      ['findGrant', () => store.findGrant(grant.id)],
      ['rotate', () => store.rotate(grant.id, { from: grant.tokenHash, to: 'next', ...times })],
      ['endGrant', () => store.endGrant(grant.id)],
    ]
    for (const [verb, run] of verbs) {
      trips = 0
      await run()
      expect(trips, verb).to.equal(1)
    }
  })

  it('finds everything by an index', async () => {
    const sql = statementsFor('express_ciba')
    await pool.query(`
      INSERT INTO express_ciba.requests (id, status, client_id, sub, expires_at, kept_until, interval_seconds, slow_downs,
        rest, last_poll_early)
      SELECT 'id-' || n, (ARRAY['pending', 'redeemed'])[n % 2 + 1], 'client', 'user-' || n % 1000, ${now} + n, ${now} + n,
        5, 0, '{}', false FROM generate_series(1, 20000) n;
      INSERT INTO express_ciba.seen SELECT 'key-' || n, ${now} + n FROM generate_series(1, 20000) n;
      INSERT INTO express_ciba.grants (id, token_hash, expires_at, rest)
      SELECT 'id-' || n, 'hash', ${now} + n, '{}' FROM generate_series(1, 20000) n;
      ANALYZE express_ciba.requests, express_ciba.seen, express_ciba.grants`)
    const nothing = Array.from({ length: 8 }, () => null)
    const statements: [text: string, values: unknown[]][] = [
      [countOpen('express_ciba', '$1', '$2'), ['user-1', now]],
      [sql.find.text, ['id-1', now]],
      [sql.poll.text, ['id-1', 'client', 'hash', now, 30_000, 250, 5, 60, 30_000]],
      [sql.move.text, ['id-1', 'pending', now, 'denied', ...nothing]],
      [sql.release.text, ['id-1', now]],
      [sql.firstSeen.text, ['key-1', now, now]],
      [sql.findGrant.text, ['id-1', now]],
      [sql.rotate.text, ['id-1', 'hash', 'next', now, now, now]],
      [sql.endGrant.text, ['id-1']],
      ...sql.sweeps.map(({ text }): [string, unknown[]] => [text, [now + 10, 5]]),
    ]
    for (const [text, values] of statements) {
      const { rows } = await pool.query(`EXPLAIN (FORMAT JSON) ${text}`, values)
      expect(JSON.stringify(rows), text).to.not.include('Seq Scan')
    }
    await pool.query('TRUNCATE express_ciba.requests, express_ciba.seen, express_ciba.grants')
  })

  it('is migrated once, however many processes start', async () => {
    const pools = Array.from({ length: 8 }, () => new pg.Pool({ connectionString: server.url, max: 1 }))
    await Promise.all(pools.map((each) => postgresStore(each, { schema: 'fresh' }).migrate()))
    await Promise.all(pools.map((each) => each.end()))
    const { rows } = await pool.query('SELECT version FROM fresh.versions')
    expect(rows).to.deep.equal([{ version: 1 }])
  })

  it('removes what is over in small batches, and nothing else', async () => {
    const store = postgresStore(pool, { sweepSeconds: 0 })
    const over = Array.from({ length: 5 }, () => requestRecord({ receivedAt: now - 3_600_000 }))
    const alive = requestRecord()
    for (const each of [...over, alive]) await store.add(each)
    await store.firstSeen('over', now - 1)
    await store.addGrant({ ...grantRecord(), expiresAt: now - 1 })
    expect([await store.sweep(2), await store.sweep(3), await store.sweep()]).to.deep.equal([4, 3, 0])
    expect(await store.find(alive.id)).to.deep.equal(alive)
  })

  it('removes it by itself, until it is closed', async () => {
    const store = postgresStore(pool, { sweepSeconds: 0.05 })
    const count = async () => (await pool.query('SELECT FROM express_ciba.seen WHERE kept_until < $1', [now])).rowCount
    await store.firstSeen('soon over', now - 1)
    await until('it is gone', 5000, async () => (await count()) === 0)
    await store.close?.()
    await store.firstSeen('soon over', now - 1)
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await count()).to.equal(1)
  })

  it('works without prepared statements, in any schema', async () => {
    const store = postgresStore(pool, { schema: 'login_2', prepare: false })
    await store.migrate()
    const record = requestRecord()
    await store.add(record, 1)
    expect(await store.find(record.id)).to.deep.equal(record)
    expect(() => postgresStore(pool, { schema: 'Robert"; --' })).to.throw(TypeError, 'option "schema"')
  })

  it('does not wait for a PostgreSQL that is silent', async () => {
    const silent = { query: () => new Promise<never>(() => {}), connect: () => pool.connect(), on: () => {} }
    const outcome = await postgresStore(silent, { timeoutSeconds: 0.03 }).find('id').catch(String)
    expect(outcome).to.equal('Error: PostgreSQL did not answer within 30 ms')
  })
})
