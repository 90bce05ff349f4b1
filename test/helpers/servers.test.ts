import { expect } from 'chai'
import pg from 'pg'
import { createClient } from 'redis'
import { type Server, skipWithout, startPostgres, startRedis, startRedisCluster } from './servers.ts'

describe('servers for tests', function () {
  this.timeout(60_000)
  const servers: { close(): Promise<void> }[] = []
  const started = async <T extends { close(): Promise<void> }>(server: Promise<T>): Promise<T> => {
    servers.push(await server)
    return server
  }
  after(() => Promise.all(servers.map((each) => each.close())))

  it('a Redis that keeps its data over a kill', async function () {
    skipWithout(this, 'redis-server')
    const redis = await started(startRedis({ appendfsync: 'always' }))
    expect(await command(redis, ['SET', 'key', 'value'])).to.equal('OK')
    await redis.kill()
    await redis.start()
    expect(await command(redis, ['GET', 'key'])).to.equal('value')
  })

  it('a Redis Cluster of three', async function () {
    skipWithout(this, 'redis-server')
    const { nodes } = await started(startRedisCluster())
    expect(String(await command(nodes[1] as Server, ['CLUSTER', 'INFO']))).to.include('cluster_slots_ok:16384')
  })

  it('a PostgreSQL that keeps its data over a kill', async function () {
    skipWithout(this, 'postgres')
    const postgres = await started(startPostgres())
    await query(postgres, 'create table kept as select 42 as answer')
    await postgres.kill()
    await postgres.start()
    expect(await query(postgres, 'select answer from kept')).to.deep.equal([{ answer: 42 }])
  })
})

async function command({ url }: Server, words: string[]): Promise<unknown> {
  const client = await createClient({ url }).connect()
  try {
    return await client.sendCommand(words)
  } finally {
    client.destroy()
  }
}

async function query({ url }: Server, text: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
