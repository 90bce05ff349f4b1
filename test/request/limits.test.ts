import { expect } from 'chai'
import type { CounterFactory, Notice } from 'express-ciba'
import pg from 'pg'
import { RateLimiterPostgres, RateLimiterRedis } from 'rate-limiter-flexible'
import { createClient } from 'redis'
import { countFailure } from '../../lib/protocol/limits/clientFailures.ts'
import { callWith } from '../helpers/authentication.ts'
import { clientOf } from '../helpers/client.ts'
import { contextFor } from '../helpers/context.ts'
import { deviceOf } from '../helpers/device.ts'
import { type Host, type HostOptions, noLimits, startHost, users } from '../helpers/host.ts'
import { skipWithout, startPostgres, startRedis } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'

const alice = { scope: 'openid', login_hint: 'alice@example.com' }
const bob = { scope: 'openid', login_hint: 'bob@example.com' }
const agentForm = { client_id: 'agent', client_secret: 'agent-secret-0123456789-0123456789' }

describe('the limits', () => {
  let host: Host
  /** Open requests are not limited unless the limits say so. */
  const start = async (options: HostOptions) => {
    const limits = options.limits && { openRequestsPerUser: 0, ...options.limits }
    host = await startHost({ ...options, ...(limits && { limits }) })
    return clientOf(host)
  }
  afterEach(() => host.close())
  const hits = () => host.events.flatMap((event) => (event.type === 'limit.hit' ? [event.limit] : []))

  it('let a user be asked so often, whoever asks', async () => {
    const client = await start({ limits: { promptsPerUser: 3 } })
    for (const form of [alice, { ...alice, ...agentForm }, alice]) {
      expect((await client.start(form, 'client_id' in form ? {} : undefined)).status).to.equal(200)
    }
    const refused = await client.start(alice)
    expect([refused.status, refused.body.error]).to.deep.equal([403, 'access_denied'])
    expect(Number(refused.headers.get('retry-after'))).to.be.within(3500, 3600)
    expect((await client.start(bob)).status).to.equal(200)
    expect(hits()).to.deep.equal(['promptsPerUser'])
  })

  it('let one client ask one user so often', async () => {
    const client = await start({ limits: { promptsPerClientAndUser: 2 } })
    const statuses = []
    for (const form of [alice, alice, alice, bob]) statuses.push((await client.start(form)).status)
    expect(statuses).to.deep.equal([200, 200, 403, 200])
    expect((await client.start({ ...alice, ...agentForm }, {})).status).to.equal(200)
  })

  it('let one number be sent to so often, whosever it is', async () => {
    const shared = users.map((user) => ({ ...user, phone_number: '+882161234' }))
    const client = await start({
      limits: { noticesPerDestination: 3 },
      users: { find: ({ hint: { value } }) => shared.find((user) => user.email === value) },
    })
    const statuses = []
    for (const form of [alice, bob, alice, bob]) statuses.push((await client.start(form)).status)
    expect(statuses).to.deep.equal([200, 200, 200, 403])
    await until(() => host.notices.length === 3)
  })

  it('let a client guess so often who exists', async () => {
    const client = await start({ limits: { failedHintsPerClient: 2 } })
    const guess = async (login_hint: string) => (await client.start({ scope: 'openid', login_hint })).status
    expect([await guess('x@example.com'), await guess('y@example.com')]).to.deep.equal([400, 400])
    expect([await guess('z@example.com'), await guess('alice@example.com')]).to.deep.equal([429, 429])
    expect((await client.start({ ...alice, ...agentForm }, {})).status).to.equal(200)
  })

  it('let a client call so often', async () => {
    const client = await start({ limits: { requestsPerClient: 2 } })
    const statuses = []
    for (let times = 0; times < 3; times++) statuses.push((await client.start({ scope: 'openid' })).status)
    expect(statuses).to.deep.equal([400, 400, 429])
  })

  it('make a client wait after a denial, longer each time, until an approval', async () => {
    const client = await start({ limits: { denialSeconds: 1 } })
    const status = async () => (await client.start(alice)).status
    const answer = async (approved: boolean) => {
      const { body } = await client.start(alice)
      await client.complete({ auth_req_id: body.auth_req_id, approved })
    }
    const wait = async () => Number((await client.start(alice)).headers.get('retry-after'))
    await answer(false)
    expect([await status(), await wait()]).to.deep.equal([403, 1])
    expect((await client.start(bob)).status).to.equal(200)
    await until(async () => (await status()) === 200)
    await answer(false)
    expect([await status(), await wait()]).to.deep.equal([403, 2])
    await until(async () => (await status()) === 200)
    await answer(true)
    expect(await status()).to.equal(200)
    await answer(false)
    expect(await wait()).to.equal(1)
  }).timeout(20_000)

  it('count users who do not exist like all others, where they are hidden', async () => {
    const client = await start({ requests: { hideUnknownUsers: true }, limits: { promptsPerUser: 1 } })
    const ghost = { scope: 'openid', login_hint: 'ghost@example.com' }
    expect([(await client.start(ghost)).status, (await client.start(ghost)).status]).to.deep.equal([200, 403])
  })

  it('let one number be sent to so often in a day, too', async () => {
    const client = await start({ limits: { noticesPerDestinationAndDay: 2, promptsPerUser: 0, denialSeconds: 0 } })
    const statuses = []
    for (let times = 0; times < 3; times++) statuses.push((await client.start(alice)).status)
    expect(statuses).to.deep.equal([200, 200, 403])
    expect(host.events.at(-2)).to.include({ type: 'limit.hit', limit: 'noticesPerDestinationAndDay' })
  })

  it('R6749-2.3.1-02 let a client fail to authenticate so often, from one address, and nobody lock it out from another', async () => {
    let from = '198.51.100.7'
    const client = await start({
      limits: { failedAuthentications: 3 },
      before: [(req, _res, next) => next(void Object.defineProperty(req, 'ip', { value: from }))],
    })
    const wrong = { authorization: `Basic ${Buffer.from('till:wrong').toString('base64')}` }
    const statuses = []
    for (let times = 0; times < 4; times++) statuses.push((await client.start(alice, wrong)).status)
    expect(statuses).to.deep.equal([401, 401, 401, 429])
    const right = await client.start(alice)
    expect([right.status, right.body.error]).to.deep.equal([429, 'invalid_client'])
    expect(Number(right.headers.get('retry-after'))).to.be.within(1, 600)
    expect(host.events.at(-2)).to.include({ type: 'limit.hit', limit: 'failedAuthentications', clientId: 'till' })
    from = '203.0.113.9'
    expect((await client.start(alice)).status).to.equal(200)
  })

  it('let nobody lock a client out where all come through one proxy', async () => {
    const client = await start({ limits: { failedAuthentications: 1 } })
    const wrong = { authorization: `Basic ${Buffer.from('till:wrong').toString('base64')}` }
    for (const header of ['x-forwarded-for', 'forwarded']) {
      for (let times = 0; times < 3; times++) {
        expect((await client.start(alice, { ...wrong, [header]: '198.51.100.7' })).status).to.equal(401)
      }
      expect((await client.start(alice, { authorization: client.basic, [header]: '203.0.113.9' })).status).to.equal(200)
    }
  })

  it('let nobody lock a client out at a server that tells no addresses', async () => {
    await start({ limits: { failedAuthentications: 1 } })
    const parameters = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: 'x' }
    const call = async (secret: string) => {
      const authorization = `Basic ${Buffer.from(`till:${secret}`).toString('base64')}`
      return (await host.router.backchannel.grantFor({ parameters, authorization })).body.error
    }
    for (let times = 0; times < 3; times++) expect(await call('wrong')).to.equal('invalid_client')
    expect(await call('till-secret-0123456789-0123456789')).to.equal('invalid_grant')
  })

  it('count strangers as long as a timer can, however long requests live', async () => {
    const client = await start({
      requests: { hideUnknownUsers: true, expirySeconds: 5_000_000 },
      limits: { openRequestsPerUser: 1 },
    })
    for (const login_hint of ['alice@example.com', 'nobody@example.com']) {
      const ask = async () => (await client.start({ scope: 'openid', login_hint })).status
      const first = await ask()
      await new Promise((resolve) => setTimeout(resolve, 30)) // a timer that is too long is over at once
      expect([first, await ask()]).to.deep.equal([200, 403])
    }
  })

  it('have defaults, and can be switched off', async () => {
    const client = await start({ limits: {} })
    const statuses = []
    for (let times = 0; times < 21; times++) statuses.push((await client.start(alice)).status)
    expect(statuses).to.deep.equal([...Array(20).fill(200), 403])
    await host.close()
    const free = await start({ limits: false })
    for (let times = 0; times < 40; times++) expect((await free.start(alice)).status).to.equal(200)
  })

  it('block a client after "I did not start this", by whatever door it was said, also where they are off', async () => {
    const client = await start({ limits: false })
    const { body } = await client.start(alice)
    await host.router.backchannel.deny({ request: body.auth_req_id, by: { sub: 'alice' }, reason: 'not_me' })
    expect((await client.start(alice)).status).to.equal(403)
    expect((await client.start(bob)).status).to.equal(200)
    expect((await client.start({ ...alice, ...agentForm }, {})).status).to.equal(200)
    expect(hits()).to.deep.equal(['notMe'])
    expect(host.events.map(({ type }) => type)).to.include('request.not_me')
  })

  it('are an outage, not a way around, when they cannot be counted', async () => {
    const broken = () => Promise.reject(new Error('ECONNREFUSED redis://secret@db'))
    const client = await start({
      limits: { counter: () => ({ get: broken, consume: broken, block: broken, delete: broken }) },
    })
    const { status, body } = await client.start(alice)
    expect([status, body.error]).to.deep.equal([503, 'temporarily_unavailable'])
    expect(JSON.stringify(body)).not.to.include('secret')
    expect(host.events.some((event) => event.type === 'outage' && event.of === 'limits')).to.equal(true)
  })
})

describe('failed authentications', () => {
  it('are kept for ten thousand callers, whatever names they make up', async () => {
    const counted = new Set<string>()
    const counter: CounterFactory = () => ({
      get: async () => null,
      consume: async (key) => ({ consumedPoints: counted.add(key).size, remainingPoints: 0, msBeforeNext: 1 }),
      block: async () => {},
      delete: async (key) => counted.delete(key),
    })
    const ctx = contextFor({ limits: { ...noLimits, failedAuthentications: 1, counter } })
    const fail = (clientId: string) => countFailure(ctx, clientId, callWith({}, { address: () => '::1' }))
    for (let n = 0; n < 10_100; n++) await fail(`client-${n}`)
    await fail('no\nname')
    expect([counted.size, counted.has('["client-99","::1"]')]).to.deep.equal([10_000, false])
  })
})

// threat 1: the budget survives a restart
for (const { name, program, open } of [
  {
    name: 'Redis',
    program: 'redis-server' as const,
    async open() {
      const server = await startRedis()
      const storeClient = createClient({ url: server.url })
      await storeClient.connect()
      const counter: CounterFactory = (options) =>
        new RateLimiterRedis({ storeClient, useRedisPackage: true, ...options })
      const close = async () => {
        await storeClient.close()
        await server.close()
      }
      return { counter, close }
    },
  },
  {
    name: 'PostgreSQL',
    program: 'postgres' as const,
    async open() {
      const server = await startPostgres()
      const storeClient = new pg.Pool({ connectionString: server.url })
      const ready = await new Promise<RateLimiterPostgres>((resolve, reject) => {
        const made = new RateLimiterPostgres(
          { storeClient, tableName: 'limits', keyPrefix: 'x', points: 1, duration: 1 },
          (error) => (error ? reject(error) : resolve(made)),
        )
      })
      void ready
      const counter: CounterFactory = (options) =>
        new RateLimiterPostgres({ storeClient, tableName: 'limits', tableCreated: true, ...options })
      const close = async () => {
        await storeClient.end()
        await server.close()
      }
      return { counter, close }
    },
  },
]) {
  describe(`the limits in ${name}`, function () {
    this.timeout(60_000)
    let backend: Awaited<ReturnType<typeof open>>
    before(async function () {
      skipWithout(this, program)
      backend = await open()
    })
    after(() => backend?.close())

    it('hold across processes: prompts, blocks and cool-downs', async () => {
      const limits = { promptsPerClientAndUser: 4, denialSeconds: 600 }
      const options = { limits: { ...limits, openRequestsPerUser: 0, counter: backend.counter } }
      const [one, two] = await Promise.all([startHost(options), startHost(options)])
      const statuses = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => (await clientOf(index % 2 ? one : two).start(alice)).status),
      )
      expect(statuses.filter((status) => status === 200)).to.have.length(4)

      const { body } = await clientOf(one).start(bob)
      await clientOf(one).complete({ auth_req_id: body.auth_req_id, approved: false }, 'token-of-bob')
      await until(async () => (await clientOf(two).start({ ...bob, login_hint: 'bob' })).status === 403)
      await Promise.all([one.close(), two.close()])

      const three = await startHost(options)
      expect((await clientOf(three).start(alice)).status).to.equal(403)
      expect((await clientOf(three).start(bob)).status).to.equal(403)
      await three.close()
    })

    it('keep the block of "I did not start this"', async () => {
      const options = { limits: { ...noLimits, counter: backend.counter } }
      const one = await startHost(options)
      const agent = (host: Host) => clientOf(host).start({ ...alice, ...agentForm }, {})
      await agent(one)
      await until(() => one.notices.length === 1)
      const device = deviceOf('alice')
      await device.press(await device.open((one.notices[0] as Notice).link), 'not_me')
      expect((await agent(one)).status).to.equal(403)
      await one.close()
      const two = await startHost(options)
      expect((await agent(two)).status).to.equal(403)
      expect(await two.router.backchannel.unblock({ clientId: 'agent', sub: 'alice' })).to.equal(true)
      expect((await agent(two)).status).to.equal(200)
      await two.close()
    })
  })
}
