import { Redis as Ioredis, Cluster as IoredisCluster } from 'ioredis'
import { Redis as Ioredis5 } from 'ioredis5'
import { createClient, createCluster } from 'redis'
import { createClient as createClient5 } from 'redis5'
import { type RedisLike, redisStore } from '../../lib/adapters/stores/redis/store.ts'
import { type ContractOptions, storeContract } from '../../lib/testing/storeContract.ts'
import { type Server, skipWithout, startRedis, startRedisCluster, until } from '../helpers/servers.ts'

/** A client and what ends it. */
type Opened = readonly [client: RedisLike, end: () => unknown]

type Outage = NonNullable<ContractOptions['outage']>

describe('the store contract: redisStore', function () {
  this.timeout(30_000)

  describe('on one server', () => {
    let redis: Server
    before(async function () {
      skipWithout(this, 'redis-server')
      redis = await startRedis({ appendfsync: 'always' })
    })
    after(() => redis?.close())

    runWith('node-redis 6', async () => nodeRedis(await createClient({ url: redis.url }).on('error', quiet).connect()))
    runWith('node-redis 5', async () => nodeRedis(await createClient5({ url: redis.url }).on('error', quiet).connect()))
    runWith('ioredis 6', async () =>
      ioredis(new Ioredis(redis.url, { autoResendUnfulfilledCommands: false }).on('error', quiet)),
    )
    runWith('ioredis 5', async () =>
      ioredis(new Ioredis5(redis.url, { autoResendUnfulfilledCommands: false }).on('error', quiet)),
    )

    function runWith(name: string, connect: () => Promise<Opened>) {
      run(name, connect, (client) => ({
        begin: () => redis.kill(),
        async end() {
          await redis.start()
          await until('the client is connected again', 10_000, async () => !(await redisStore(client).find('nobody')))
        },
      }))
    }
  })

  describe('on a cluster of three', () => {
    let cluster: Awaited<ReturnType<typeof startRedisCluster>>
    before(async function () {
      skipWithout(this, 'redis-server')
      cluster = await startRedisCluster()
    })
    after(() => cluster?.close())

    run('node-redis 6', async () => {
      const rootNodes = cluster.nodes.map(({ url }) => ({ url }))
      const client = await createCluster({ rootNodes }).on('error', quiet).connect()
      return [client, () => client.destroy()]
    })
    run('ioredis 6', async () => {
      const client = new IoredisCluster(cluster.nodes.map(({ host, port }) => ({ host, port })))
      return [client, () => client.disconnect()]
    })
  })
})

function run(name: string, connect: () => Promise<Opened>, outageOf?: (client: RedisLike) => Outage) {
  describe(name, () => {
    let opened: Opened
    before(async () => {
      opened = await connect()
    })
    after(() => opened?.[1]())
    const outage = outageOf && {
      begin: () => outageOf(opened[0]).begin(),
      end: () => outageOf(opened[0]).end(),
    }
    const cases = storeContract({ open: () => redisStore(opened[0]), ...(outage && { outage }) })
    for (const each of cases) it(each.name, each.run)
  })
}

function nodeRedis(client: RedisLike & { destroy(): void }): Opened {
  return [client, () => client.destroy()]
}

function ioredis(client: RedisLike & { disconnect(): void }): Opened {
  return [client, () => client.disconnect()]
}

/** Clients say by an event that the connection is lost; without a listener that ends the process. */
function quiet(): void {}
