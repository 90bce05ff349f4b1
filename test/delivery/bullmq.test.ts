import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { bullmqQueue } from '../../lib/adapters/queues/bullmq.ts'
import { newId } from '../../lib/core/crypto/handles.ts'
import { type Server, skipWithout, startRedis } from '../helpers/servers.ts'
import { queueContract } from './queues.ts'

describe('bullmqQueue on a real Redis', function () {
  this.timeout(20_000)
  let redis: Server
  before(async function () {
    skipWithout(this, 'redis-server')
    redis = await startRedis()
  })
  after(() => redis?.close())

  const make = (name = `q-${newId()}`, recheckSeconds = 15) =>
    bullmqQueue({
      connection: { host: redis.host, port: redis.port },
      name,
      firstRetrySeconds: 0.02,
      maxRetrySeconds: 0.1,
      concurrencyPerClient: 2,
      recheckSeconds,
    })
  queueContract('as every queue', make)

  const collect = (queue: ReturnType<typeof make>) => {
    const ran: string[] = []
    queue.start(
      async ({ request }) => {
        ran.push(request)
        return { next: 'end' }
      },
      () => {},
    )
    return ran
  }
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  const job = () => ({ request: newId(), clientId: 'till', expiresAt: Date.now() + 60_000 })

  it('hands the jobs of a closed queue to the next one', async () => {
    const [first, one] = [make('moved', 0.3), job()]
    collect(first)
    await first.add(one)
    await first.close()
    const second = make('moved', 0.3)
    const ran = collect(second)
    await pass(1500)
    expect(ran).to.deep.equal([one.request])
    await second.close()
  })

  it('runs a job once, whoever wakes it and however often', async () => {
    const queues = [make('shared'), make('shared'), make('shared')]
    const ran = queues.map(collect)
    const one = job()
    await queues[0]?.add(one)
    await Promise.all(queues.map((queue) => queue.wake(one)))
    await pass(300)
    await queues[1]?.wake(one)
    await pass(300)
    expect(ran.flat()).to.deep.equal([one.request])
    await Promise.all(queues.map((queue) => queue.close()))
  })

  it('keeps nothing in Redis but ids and times', async () => {
    const queue = make('plain')
    collect(queue)
    const one = job()
    await queue.add(one)
    const { Redis } = await import('ioredis')
    const client = new Redis(redis.port)
    const stored = JSON.parse((await client.hget(`bull:plain:${one.request}`, 'data')) ?? '{}')
    expect(stored).to.deep.equal({ ...one, attempts: 0 })
    client.disconnect()
    await queue.close()
  })

  it('keeps it under the prefix that it is told, and nothing before it is used', async () => {
    const connection = { host: redis.host, port: redis.port }
    const { Redis } = await import('ioredis')
    const client = new Redis(redis.port)
    await bullmqQueue({ connection, prefix: 'mine' }).close()
    expect(await client.keys('mine:*')).to.deep.equal([])
    const queue = bullmqQueue({ connection, prefix: 'mine', name: 'q' })
    const one = job()
    await queue.add(one)
    expect(await client.exists(`mine:q:${one.request}`)).to.equal(1)
    client.disconnect()
    await queue.close()
  })

  it('says so within seconds when Redis is gone', async () => {
    const gone = await startRedis()
    const queue = bullmqQueue({ connection: { host: gone.host, port: gone.port } })
    const errors: unknown[] = []
    queue.start(
      async () => ({ next: 'end' }),
      (cause) => errors.push(cause),
    )
    await queue.add(job())
    await gone.close()
    const begun = Date.now()
    const failure = await queue.add(job()).catch((error) => error.message)
    expect(failure).to.match(/did not answer|closed|refused/)
    expect(Date.now() - begun).to.be.below(3000)
    expect(errors).not.to.deep.equal([])
    await queue.close()
  })

  it('names the packages that it needs when they are not there', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'express-ciba-'))
    try {
      cpSync(new URL('../../lib', import.meta.url), join(elsewhere, 'lib'), { recursive: true })
      writeFileSync(join(elsewhere, 'package.json'), '{"type":"module"}')
      mkdirSync(join(elsewhere, 'node_modules'))
      symlinkSync(
        fileURLToPath(new URL('../../node_modules/zod', import.meta.url)),
        join(elsewhere, 'node_modules/zod'),
      )
      const program = `import('./lib/adapters/queues/bullmq.ts').then(({ bullmqQueue }) => bullmqQueue({ connection: {} })).catch((error) => console.log(error.message))`
      const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
      const said = execFileSync(process.execPath, ['--import', tsx, '-e', program], {
        cwd: elsewhere,
        encoding: 'utf8',
      })
      expect(said).to.include('npm install bullmq ioredis')
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })
})
