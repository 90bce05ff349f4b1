import { request } from 'node:http'
import { expect } from 'chai'
import { type AnswerSubscriber, type BackchannelStore, memoryStore } from 'express-ciba'
import { postgresStore } from 'express-ciba/stores/postgres'
import { redisStore } from 'express-ciba/stores/redis'
import pg from 'pg'
import { createClient } from 'redis'
import { clientOf } from '../helpers/client.ts'
import { type Host, type HostOptions, startHost } from '../helpers/host.ts'
import { type Server, skipWithout, startPostgres, startRedis } from '../helpers/servers.ts'
import { privateJwk } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'

const grantType = 'urn:openid:params:grant-type:ciba'

describe('long polling', function () {
  this.timeout(20_000)
  let host: Host
  let client: ReturnType<typeof clientOf>
  let store: ReturnType<typeof watched>
  const start = async (options: HostOptions = {}) => {
    store = watched(memoryStore())
    host = await startHost({ store, polling: { holdSeconds: 30 }, ...options })
    client = clientOf(host)
  }
  afterEach(() => host.close())

  const asked = async () => String((await client.start()).body.auth_req_id)
  /** Polls, and returns once the store has seen the poll. */
  const held = async (authReqId: string) => {
    const before = store.polls.length
    const answer = client.poll(authReqId)
    await until(() => store.polls.length > before)
    return { answer }
  }
  const complete = (auth_req_id: string, approved = true) => client.complete({ auth_req_id, approved })

  it('CIBA-10.1-04 answers when the user approves', async () => {
    await start()
    const authReqId = await asked()
    const { answer } = await held(authReqId)
    expect((await complete(authReqId)).status).to.equal(204)
    const { status, body } = await answer
    expect([status, body.token_type]).to.deep.equal([200, 'Bearer'])
    expect((await client.poll(authReqId)).body.error).to.equal('invalid_grant')
  })

  it('answers when the user declines, when the request is cancelled, and when it expires', async () => {
    await start({ requests: { expirySeconds: 1 } })
    const denied = await asked()
    const refusal = await held(denied)
    await complete(denied, false)
    expect((await refusal.answer).body.error).to.equal('access_denied')
    const cancelled = await asked()
    const end = await held(cancelled)
    await host.router.backchannel.cancel(cancelled)
    expect((await end.answer).body.error).to.equal('expired_token')
    const { answer } = await held(await asked())
    expect((await answer).body.error).to.equal('expired_token')
  })

  it('CIBA-10.1-05 says authorization_pending when the hold is over, and CIBA-10.1-07 the next poll may follow at once', async () => {
    await start({ polling: { holdSeconds: 1, intervalSeconds: 1 } })
    const authReqId = await asked()
    const began = performance.now()
    expect((await client.poll(authReqId)).body.error).to.equal('authorization_pending')
    expect(performance.now() - began).to.be.greaterThan(900)
    expect((await client.poll(authReqId)).body.error).to.equal('authorization_pending')
  })

  it('CIBA-10.1-06 says slow_down to a second poll at any time, and the first keeps waiting', async () => {
    await start()
    const authReqId = await asked()
    const first = await held(authReqId)
    expect((await client.poll(authReqId)).body.error).to.equal('slow_down')
    host.pass(12)
    expect((await client.poll(authReqId)).body.error).to.equal('slow_down')
    await complete(authReqId)
    expect((await first.answer).status).to.equal(200)
  })

  it('of polls that race one is held and one gets the tokens', async () => {
    await start()
    const authReqId = await asked()
    const polls = Array.from({ length: 8 }, () => client.poll(authReqId))
    await until(() => store.polls.length === 8)
    await complete(authReqId)
    const errors = (await Promise.all(polls)).map(({ status, body }) => (status === 200 ? 'tokens' : body.error))
    expect(errors.toSorted()).to.deep.equal([...Array(7).fill('slow_down'), 'tokens'])
  })

  it('forgets a client that goes away: its tokens wait for the next poll, which may come after the interval', async () => {
    await start()
    const authReqId = await asked()
    const form = new URLSearchParams({ grant_type: grantType, auth_req_id: authReqId }).toString()
    const headers = { authorization: client.basic, 'content-type': 'application/x-www-form-urlencoded' }
    const gone = request(`${host.origin}/oidc/token`, { method: 'POST', headers }).on('error', () => {})
    gone.end(form)
    await until(() => store.polls.length === 1)
    gone.destroy()
    await until(() => store.released.length === 1)
    host.pass(6)
    const { answer } = await held(authReqId)
    await complete(authReqId)
    expect((await answer).status).to.equal(200)
    expect(host.events.filter(({ type }) => type === 'poll.early' || type === 'fault')).to.deep.equal([])
  })

  it('answers at once where all places are taken', async () => {
    await start({ polling: { holdSeconds: 30, heldPolls: 3, heldPollsPerClient: 1 } })
    const first = await asked()
    const { answer } = await held(first)
    expect((await client.poll(await asked())).body.error).to.equal('authorization_pending')
    await complete(first)
    await answer
    const next = await asked()
    const second = await held(next)
    await complete(next)
    expect((await second.answer).status).to.equal(200)
  })

  it('answers everybody when the server closes, and their polls count from when they came', async () => {
    await start()
    const all = await Promise.all(Array.from({ length: 5 }, async () => held(await asked())))
    await host.router.backchannel.close()
    for (const { answer } of all) expect((await answer).body.error).to.equal('authorization_pending')
    expect(store.released).to.have.length(5)
  })

  it('answers everybody when the server closes while the store is out of reach', async () => {
    await start()
    const { answer } = await held(await asked())
    store.failReleases()
    await host.router.backchannel.close()
    expect((await answer).body.error).to.equal('authorization_pending')
  })

  it('says so when the store goes away right after the answer, and the tokens wait for the next poll', async () => {
    await start()
    const authReqId = await asked()
    const { answer } = await held(authReqId)
    const { find, move } = store
    store.move = async (...given) => {
      const moved = await move(...given)
      store.find = () => Promise.reject(new Error('out of reach'))
      return moved
    }
    await complete(authReqId)
    expect((await answer).status).to.equal(503)
    Object.assign(store, { find, move })
    expect((await client.poll(authReqId)).status).to.equal(200)
  })

  describe('in a server of the host’s own', () => {
    const call = (authReqId: string, signal?: AbortSignal) =>
      host.router.backchannel.grantFor({
        parameters: { grant_type: grantType, auth_req_id: authReqId },
        authorization: client.basic,
        ...(signal && { signal }),
      })

    it('holds the call that comes with a signal, until that says that the client is gone', async () => {
      await start()
      const authReqId = await asked()
      const going = new AbortController()
      const answer = call(authReqId, going.signal)
      await until(() => store.polls.length === 1)
      going.abort()
      expect((await answer).body.error).to.equal('authorization_pending')
      host.pass(6)
      const again = call(authReqId, new AbortController().signal)
      await until(() => store.polls.length === 2)
      await complete(authReqId)
      expect((await again).status).to.equal(200)
    })

    it('answers the call without one at once', async () => {
      await start()
      expect((await call(await asked())).body.error).to.equal('authorization_pending')
    })
  })
})

describe('long polling across processes', function () {
  this.timeout(60_000)

  describe('on Redis', () => {
    let server: Server
    before(async function () {
      skipWithout(this, 'redis-server')
      server = await startRedis({ appendfsync: 'always' })
    })
    after(() => server?.close())

    across(
      async () => {
        const client = createClient({ url: server.url }).on('error', () => {})
        await client.connect()
        return { store: redisStore(client), end: () => client.destroy() }
      },
      () => server,
    )
  })

  describe('on PostgreSQL', () => {
    let server: Server
    before(async function () {
      skipWithout(this, 'postgres')
      server = await startPostgres()
    })
    after(() => server?.close())

    across(
      async () => {
        const pool = new pg.Pool({ connectionString: server.url })
        const store = postgresStore(pool)
        await store.migrate()
        return { store, end: () => pool.end() }
      },
      () => server,
    )
  })
})

interface Opened {
  readonly store: BackchannelStore
  end(): unknown
}

/** Cases with two hosts, each on a connection of its own. */
function across(open: () => Promise<Opened>, server: () => Server) {
  let hosts: Host[]
  let opened: Opened[]
  let stores: ReturnType<typeof watched>[]
  beforeEach(async () => {
    opened = [await open(), await open()]
    stores = opened.map(({ store }) => watched(store))
    const shared = { issuer: 'https://login.example.com', keys: { keys: [privateJwk('P-256')] } }
    hosts = await Promise.all(
      stores.map((store) => startHost({ ...shared, store, polling: { holdSeconds: 4, intervalSeconds: 1 } })),
    )
    await until(() => stores.every((each) => each.isUp()))
  })
  afterEach(async () => {
    for (const host of hosts) await host.close()
    for (const { end } of opened) await end()
  })

  const here = () => clientOf(hosts[0] as Host)
  const there = () => clientOf(hosts[1] as Host)
  const held = async () => {
    const authReqId = String((await there().start()).body.auth_req_id)
    const answer = here().poll(authReqId)
    await until(() => stores[0]?.polls.length === 1)
    return { authReqId, answer }
  }

  it('a poll that is held here answers when the user approves there', async () => {
    const { authReqId, answer } = await held()
    await there().complete({ auth_req_id: authReqId, approved: true })
    expect((await answer).status).to.equal(200)
  })

  it('a poll there is too early while one is held here', async () => {
    const { authReqId, answer } = await held()
    hosts[1]?.pass(2)
    expect((await there().poll(authReqId)).body.error).to.equal('slow_down')
    await there().complete({ auth_req_id: authReqId, approved: false })
    expect((await answer).body.error).to.equal('access_denied')
  })

  it('an outage ends no held poll and loses no answer', async () => {
    const { authReqId, answer } = await held()
    await server().kill()
    await until(() => stores[0]?.isUp() === false)
    await server().start()
    expect((await answer).body.error).to.equal('authorization_pending')
    for (let tries = 0; tries < 50; tries++) {
      if ((await there().complete({ auth_req_id: authReqId, approved: true })).status === 204) break
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    let last = await here().poll(authReqId)
    for (let tries = 0; tries < 50 && last.status === 503; tries++) last = await here().poll(authReqId)
    expect(last.status).to.equal(200)
  })
}

/** A store, and what was done with it. */
function watched(store: BackchannelStore) {
  const polls: string[] = []
  const released: string[] = []
  let isUp = false
  let fails = false
  return {
    ...store,
    polls,
    released,
    isUp: () => isUp,
    poll: async (...given: Parameters<BackchannelStore['poll']>) => {
      const polled = await store.poll(...given)
      polls.push(given[0])
      return polled
    },
    release: async (id: string, polledAt: number) => {
      if (fails) throw new Error('out of reach')
      await store.release?.(id, polledAt)
      released.push(id)
    },
    failReleases: () => {
      fails = true
    },
    ...(store.subscribe && {
      subscribe: (subscriber: AnswerSubscriber) =>
        (store.subscribe as NonNullable<BackchannelStore['subscribe']>)({
          onAnswer: subscriber.onAnswer,
          onConnect() {
            isUp = true
            subscriber.onConnect()
          },
          onDisconnect() {
            isUp = false
            subscriber.onDisconnect()
          },
        }),
    }),
  }
}
