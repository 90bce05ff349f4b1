import { expect } from 'chai'
import { Redis as Ioredis } from 'ioredis'
import { createClient, createClientPool } from 'redis'
import { redisStore } from '../../lib/adapters/stores/redis/store.ts'
import { hashOf } from '../../lib/core/crypto/handles.ts'
import { grantRecord, requestRecord } from '../../lib/testing/records.ts'
import { clientOf } from '../helpers/client.ts'
import { startHost } from '../helpers/host.ts'
import { type Server, skipWithout, startRedis, until } from '../helpers/servers.ts'

describe('redisStore', () => {
  let redis: Server
  let client: Awaited<ReturnType<typeof connect>>
  const connect = () => createClient({ url: redis.url }).connect()
  before(async function () {
    skipWithout(this, 'redis-server')
    redis = await startRedis()
    client = await connect()
  })
  after(async () => {
    client?.destroy()
    await redis?.close()
  })
  let now: number
  let record: ReturnType<typeof requestRecord>
  let poller: { clientId: string; authReqIdHash: string }
  beforeEach(async () => {
    await client.flushAll()
    now = Date.now()
    record = requestRecord({ receivedAt: now })
    poller = { clientId: record.clientId, authReqIdHash: record.authReqIdHash ?? '' }
  })

  it('listens by a client that connects lazily, and not at all by a pool', async () => {
    const lazy = new Ioredis(redis.url, { lazyConnect: true })
    let isUp = false
    const bus = redisStore(lazy).subscribe?.({
      onAnswer() {},
      onConnect: () => {
        isUp = true
      },
      onDisconnect() {},
    })
    await until('it listens', 2000, async () => isUp)
    await bus?.close()
    lazy.disconnect()
    const pool = createClientPool({ url: redis.url })
    await pool.connect()
    expect(redisStore(pool).subscribe).to.equal(undefined)
    pool.destroy()
  })

  it('needs one round trip for each hot verb', async () => {
    const store = redisStore(client)
    const approved = requestRecord({ status: 'approved' })
    const verbs: [string, () => Promise<unknown>][] = [
      ['find', () => store.find(record.id)],
      ['poll', () => store.poll(record.id, poller, now)],
      ['firstSeen', () => store.firstSeen(`key ${Math.random()}`, now + 60_000)],
      ['redeem', () => store.move(approved.id, { from: 'approved', to: 'redeemed', now })],
      ['settle', () => store.move(record.id, { from: 'pending', to: 'denied', now })],
    ]
    const heard: string[] = []
    const ear = await connect()
    for (let round = 0; round < 2; round++) {
      for (const each of [record, approved]) await store.add(each)
      // in the first round Redis learns the scripts
      if (round === 1) await ear.monitor((line) => void (/ lua\]/.test(line) || heard.push(line)))
      for (const [verb, run] of verbs) {
        await client.echo(`>${verb}`)
        await run()
        await client.echo('<')
      }
    }
    await until('the last one was heard', 2000, async () => heard.filter((line) => line.includes('"<"')).length === 5)
    const marks = verbs.map(([verb]) => {
      const first = heard.findIndex((line) => line.includes(`">${verb}"`))
      const last = heard.findIndex((line, n) => n > first && line.includes('"<"'))
      return [verb, last - first - 1]
    })
    ear.destroy()
    expect(marks).to.deep.equal([
      ['find', 1],
      ['poll', 1],
      ['firstSeen', 1],
      ['redeem', 1],
      // the user's set of open requests is told as well, and nobody waits for it
      ['settle', 2],
    ])
  })

  it('sends its scripts again to a Redis that has forgotten them', async () => {
    const store = redisStore(client)
    await store.add(record)
    await client.scriptFlush()
    expect((await store.poll(record.id, poller, now))?.record.status).to.equal('pending')
  })

  it('threat 58: gives every key an end, and the prefix', async () => {
    const store = redisStore(client, { prefix: 'login:' })
    await store.add(record, 5)
    await store.poll(record.id, poller, now)
    await store.firstSeen('key', now + 60_000)
    const grant = grantRecord()
    await store.addGrant(grant)
    await store.rotate(grant.id, {
      from: grant.tokenHash,
      to: 'next',
      now,
      previousUntil: now,
      expiresAt: now + 60_000,
    })
    const keys = (await client.keys('*')).sort()
    expect(keys.map((key) => key.replace(/\{.*/, ''))).to.deep.equal([
      'login:grant:',
      'login:open:',
      'login:request:',
      'login:seen:',
    ])
    for (const key of keys) expect(await client.pTTL(key), key).to.be.within(50_000, 720_000)
  })

  it('forgets a user’s open requests with the last of them', async () => {
    const store = redisStore(client)
    await store.add(record, 1)
    await store.move(record.id, { from: 'pending', to: 'denied', now })
    expect(await store.add(requestRecord({ sub: record.sub ?? '' }), 1)).to.equal('added')
    expect(await client.keys('*open*')).to.have.length(1)
  })

  it('says so when Redis is full, and keeps nothing', async () => {
    const store = redisStore(client)
    await client.configSet('maxmemory', '1')
    try {
      expect(await store.add(record).catch(String)).to.match(/OOM/)
    } finally {
      await client.configSet('maxmemory', '0')
    }
    expect(await client.keys('*')).to.deep.equal([])
    expect(await store.add(record)).to.equal('added')
  })

  it('takes a request back whose place among the open ones could not be had', async () => {
    const store = redisStore(client)
    await client.set(`ciba:open:{${hashOf(record.sub ?? '')}}`, 'something else')
    expect(await store.add(record).catch(String)).to.match(/WRONGTYPE/)
    await until('the request is taken back', 5_000, async () => (await store.find(record.id)) === undefined)
  })

  it('does not wait for a Redis that is gone, nor for a silent one', async () => {
    const silent = { evalsha: () => new Promise(() => {}), eval: () => new Promise(() => {}), status: 'ready' }
    const error = await redisStore(silent, { timeoutSeconds: 0.03 }).find('id').catch(String)
    expect(error).to.equal('Error: Redis did not answer within 30 ms')
    const store = redisStore(silent, { timeoutSeconds: 0.03 })
    await store.find('id').catch(() => {})
    silent.status = 'reconnecting'
    expect(await store.find('id').catch(String)).to.equal('Error: Redis is not connected')
  })

  it('takes a timeout of any fraction of a second', async () => {
    const store = redisStore(client, { timeoutSeconds: 1.0005 })
    expect(await store.add(record)).to.equal('added')
  })

  it('keeps hashes of handles, never a handle', async () => {
    const host = await startHost({ store: redisStore(client) })
    const wire = clientOf(host)
    const started = await wire.start({ scope: 'openid offline_access', login_hint: 'alice@example.com' })
    const dumps = [await dump()]
    await wire.complete({ auth_req_id: started.body.auth_req_id, approved: true })
    dumps.push(await dump())
    const tokens = await wire.poll(started.body.auth_req_id)
    dumps.push(await dump())
    await host.close()

    const secrets = [started.body.auth_req_id, host.notices[0]?.link.split('/').at(-1), ...Object.values(tokens.body)]
    expect(tokens.status).to.equal(200)
    expect(dumps.join()).to.include('"alice"')
    for (const secret of secrets.map(String).filter((each) => each.length > 40)) {
      // the first 16 characters of a handle say where the record is
      expect(dumps.join()).to.not.include(secret.slice(16, 48))
    }
  })

  /** Everything there is, as text. */
  async function dump(): Promise<string> {
    const parts = (await client.keys('*')).map(async (key) => {
      const type = await client.type(key)
      const read = { hash: 'HGETALL', string: 'GET' }[type]
      return [key, read ? await client.sendCommand([read, key]) : await client.zRange(key, 0, -1)]
    })
    return JSON.stringify(await Promise.all(parts)).replaceAll('\\"', '"')
  }
})
