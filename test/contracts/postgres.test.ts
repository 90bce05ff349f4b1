import pg from 'pg'
import { postgresStore } from '../../lib/adapters/stores/postgres/store.ts'
import { storeContract } from '../../lib/testing/storeContract.ts'
import { type Server, skipWithout, startPostgres, until } from '../helpers/servers.ts'

describe('the store contract: postgresStore', function () {
  this.timeout(30_000)
  let server: Server
  let pool: pg.Pool
  before(async function () {
    skipWithout(this, 'postgres')
    server = await startPostgres()
    pool = new pg.Pool({ connectionString: server.url, max: 20 })
    await postgresStore(pool).migrate()
  })
  after(async () => {
    await pool?.end()
    await server?.close()
  })

  const open = () => postgresStore(pool)
  const outage = {
    begin: () => server.kill(),
    async end() {
      await server.start()
      await until('the pool has connections again', 10_000, async () => !(await open().find('nobody')))
    },
  }
  for (const { name, run } of storeContract({ open, outage })) it(name, run)
})
