import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { type KeyvLike, keyvStore } from 'express-ciba/stores/keyv'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'
import { storeContract } from '../../lib/testing/storeContract.ts'
import { type Server, skipWithout, startPostgres, startRedis, until } from '../helpers/servers.ts'

type Opened = KeyvLike & { disconnect(): Promise<void> }

describe('the store contract: keyvStore', function () {
  this.timeout(30_000)

  describe('on Redis', () => {
    const server = serverFor('redis-server', () => startRedis({ appendfsync: 'always' }))
    runWith('Keyv 5', server, (url) => new Keyv(new KeyvRedis(url)))
    runWith('Keyv 6', server, (url) => new Keyv6(new KeyvRedis(url)))
  })

  describe('on PostgreSQL, in one process', () => {
    const server = serverFor('postgres', () => startPostgres())
    // an outage is not for this one to survive: its pool has no listener for errors, which ends the process
    const survives = false
    runWith('Keyv 5', server, (uri) => new Keyv(new KeyvPostgres({ uri }).on('error', () => {})), survives)
  })
})

function serverFor(program: 'redis-server' | 'postgres', start: () => Promise<Server>): () => Server {
  let server: Server
  before(async function () {
    skipWithout(this, program)
    server = await start()
  })
  after(() => server?.close())
  return () => server
}

function runWith(name: string, server: () => Server, connect: (url: string) => Opened, survives = true) {
  describe(name, () => {
    let keyv: Opened
    before(() => {
      keyv = connect(server().url)
    })
    after(() => keyv?.disconnect())
    const open = () => keyvStore(keyv, { warn: () => {} })
    const outage = {
      async begin() {
        await server().kill()
        await until('the client has noticed', 10_000, () => rejects(open().find('nobody')))
      },
      async end() {
        await server().start()
        await until('the client is connected again', 10_000, async () => !(await open().find('nobody')))
      },
    }
    for (const each of storeContract({ open, ...(survives && { outage }) })) it(each.name, each.run)
  })
}

function rejects(step: Promise<unknown>): Promise<boolean> {
  return step.then(
    () => false,
    () => true,
  )
}
