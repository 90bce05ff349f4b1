import { expect } from 'chai'
import { BackchannelError, type BackchannelStore, createBackchannel, memoryStore } from 'express-ciba'
import { keyvStore } from 'express-ciba/stores/keyv'
import { postgresStore } from 'express-ciba/stores/postgres'
import { redisStore } from 'express-ciba/stores/redis'
import fc from 'fast-check'
import { Keyv } from 'keyv'
import pg from 'pg'
import { createClient } from 'redis'
import { contextOf } from '../../lib/backchannel.ts'
import { fromParsed } from '../../lib/core/http/form.ts'
import { begin } from '../../lib/protocol/request/begin.ts'
import { issue } from '../../lib/protocol/request/issue.ts'
import { clients } from '../helpers/host.ts'
import { type Server, skipWithout, startPostgres, startRedis } from '../helpers/servers.ts'

/** What a client or user does next; `request` picks one of those begun so far. */
type Step =
  | { readonly do: 'begin'; readonly seconds: number }
  | { readonly do: 'pass'; readonly seconds: number }
  | { readonly do: 'poll' | 'spy' | 'approve' | 'deny' | 'fail' | 'cancel'; readonly request: number }
  | { readonly do: 'race'; readonly request: number; readonly times: number }

const onOne = (...names: ('poll' | 'spy' | 'approve' | 'deny' | 'fail' | 'cancel')[]) =>
  fc.record({ do: fc.constantFrom(...names), request: fc.nat(1) })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant('begin' as const), seconds: fc.constantFrom(10, 30, 60) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(0, 1, 4, 5, 9, 10, 15, 20) }),
  },
  {
    weight: 8,
    arbitrary: onOne('poll', 'poll', 'poll', 'poll', 'poll', 'poll', 'approve', 'deny', 'fail', 'cancel', 'spy'),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('race' as const),
      request: fc.nat(1),
      times: fc.integer({ min: 2, max: 6 }),
    }),
  },
)

/** The rules of a request, as CIBA Core 11 and the table of states have them, without any of our code. */
class Model {
  status: 'pending' | 'approved' | 'denied' | 'failed' | 'redeemed' = 'pending'
  interval = 5
  lastPoll: number | undefined
  tokens = 0

  readonly expiresAt: number

  constructor(expiresAt: number) {
    this.expiresAt = expiresAt
  }

  poll(now: number): string {
    if (this.status === 'redeemed') return 'invalid_grant'
    if (this.status === 'denied') return 'access_denied'
    if (this.status === 'failed' || now >= this.expiresAt) return 'expired_token'
    if (this.status === 'approved') {
      this.status = 'redeemed'
      return 'tokens'
    }
    const early = this.lastPoll !== undefined && now - this.lastPoll < this.interval * 1000 - 250
    if (!early || this.interval < 60) this.lastPoll = now
    if (early) this.interval = Math.min(60, this.interval + 5)
    return early ? 'slow_down' : 'authorization_pending'
  }

  settle(to: 'approved' | 'denied' | 'failed', now: number): string {
    const settled = this.status === 'redeemed' ? 'approved' : this.status
    if (settled === to) return 'done'
    if (settled !== 'pending') return '409'
    if (now >= this.expiresAt) return '410'
    this.status = to
    return 'done'
  }
}

const settles = { approve: 'approved', deny: 'denied', fail: 'failed', cancel: 'failed' } as const

/** Takes the steps with the engine and the model side by side. */
async function walk(store: BackchannelStore, steps: readonly Step[]): Promise<void> {
  // ahead of the machine's clock by less than any store forgets
  let now = Date.now()
  const engine = createBackchannel({
    issuer: 'https://login.example.com',
    clients: { find: ({ clientId: id }) => clients.find((client) => client.client_id === id) },
    users: { find: () => ({ sub: 'alice', phone_number: '+15550100' }) },
    secret: 's'.repeat(32),
    store: { ...store, close: async () => {} },
    limits: false,
    requests: { maxExpirySeconds: 60 },
    logger: { info() {}, warn() {}, error() {} },
    clock: () => now,
  })
  const context = contextOf(engine)
  const requests: { readonly id: string; readonly model: Model }[] = []
  const agent = { client_id: 'agent', client_secret: 'agent-secret-0123456789-0123456789' }
  const stranger = {
    authorization: `Basic ${Buffer.from('till:till-secret-0123456789-0123456789').toString('base64')}`,
  }

  const poll = async (auth_req_id: string, spy = false): Promise<string> => {
    const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id }
    const { status, body } = await engine.grantFor(
      spy ? { parameters: grant, ...stranger } : { parameters: { ...grant, ...agent } },
    )
    return status === 200 ? 'tokens' : String((body as { error?: string }).error)
  }
  const by = { sub: 'alice' }
  const settlers = {
    approve: (request: string) => engine.approve({ request, by }),
    deny: (request: string) => engine.deny({ request, by }),
    fail: (request: string) => engine.fail({ request, reason: 'model' }),
    cancel: (request: string) => engine.cancel(request),
  }
  const settle = async (how: keyof typeof settles, authReqId: string): Promise<string> => {
    try {
      await settlers[how](authReqId)
      return 'done'
    } catch (thrown) {
      if (thrown instanceof BackchannelError) return String(thrown.status)
      throw thrown
    }
  }

  for (const each of steps) {
    if (each.do === 'pass') {
      now += each.seconds * 1000
    } else if (each.do === 'begin') {
      const parameters = { scope: 'openid', login_hint: 'alice', requested_expiry: String(each.seconds), ...agent }
      const call = {
        form: fromParsed(parameters),
        authorization: undefined,
        dpop: [],
        url: '',
        certificate: () => undefined,
      }
      const { auth_req_id } = await issue(context, await begin(context, call))
      requests.push({ id: auth_req_id, model: new Model(now + each.seconds * 1000) })
    } else {
      const request = requests[each.request % Math.max(1, requests.length)]
      if (request === undefined) continue
      const { id, model } = request
      if (each.do === 'poll') expect(await poll(id)).to.equal(model.poll(now))
      else if (each.do === 'spy') expect(await poll(id, true)).to.equal('invalid_grant')
      else if (each.do !== 'race')
        expect(await settle(each.do, id), each.do).to.equal(model.settle(settles[each.do], now))
      else {
        const open = model.status === 'pending' && now < model.expiresAt
        const ready = model.status === 'approved' && now < model.expiresAt
        const decisions = Array.from({ length: each.times }, (_, n) => settle(n % 2 === 0 ? 'approve' : 'deny', id))
        const polls = await Promise.all([...Array.from({ length: each.times }, () => poll(id)), ...decisions])
        const won = polls.filter((outcome) => outcome === 'tokens').length
        expect(won).to.be.at.most(1)
        if (ready) expect(won).to.equal(1)
        if (won === 1) model.status = 'redeemed'
        else if (open) {
          const state = await engine.find(id)
          expect(state?.status).to.be.oneOf(['approved', 'denied'])
          model.status = state?.status as 'approved' | 'denied'
        }
        model.tokens += won
        expect(model.tokens).to.be.at.most(1)
      }
    }
  }
  await engine.close()
}

describe('requests keep to the model, whatever happens in whatever order', function () {
  this.timeout(120_000)
  const runs = Number(process.env.MODEL_RUNS ?? 100)
  const check = (store: BackchannelStore, numRuns = runs) =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), (steps) => walk(store, steps)),
      { numRuns },
    )

  it('in memoryStore', () => check(memoryStore(), runs * 4))
  it('in keyvStore', () => check(keyvStore(new Keyv()), runs * 2))

  describe('in redisStore', () => {
    let server: Server
    before(async function () {
      skipWithout(this, 'redis-server')
      server = await startRedis()
    })
    after(() => server?.close())

    it('on one server', async () => {
      const client = await createClient({ url: server.url }).connect()
      try {
        await check(redisStore(client))
      } finally {
        client.destroy()
      }
    })
  })

  describe('in postgresStore', () => {
    let server: Server
    before(async function () {
      skipWithout(this, 'postgres')
      server = await startPostgres()
    })
    after(() => server?.close())

    it('on one server', async () => {
      const pool = new pg.Pool({ connectionString: server.url })
      try {
        const store = postgresStore(pool)
        await store.migrate()
        await check(store)
        await store.close?.()
      } finally {
        await pool.end()
      }
    })
  })
})
