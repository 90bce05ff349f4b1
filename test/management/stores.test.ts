import { expect } from 'chai'
import { type BackchannelStore, memoryStore } from 'express-ciba'
import { keyvStore } from 'express-ciba/stores/keyv'
import { postgresStore } from 'express-ciba/stores/postgres'
import { redisStore } from 'express-ciba/stores/redis'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import pg from 'pg'
import { type AuthleteHost, startAuthlete } from '../helpers/authlete.ts'
import { clients } from '../helpers/host.ts'
import { notificationToken } from '../helpers/notified.ts'
import { type Server, skipWithout, startPostgres, startRedis } from '../helpers/servers.ts'

const asked = { scope: 'openid', login_hint: 'alice' }
const push = { ...asked, client_id: 'push', client_notification_token: notificationToken }

/** The life of tickets, in one store. */
function lives(open: () => BackchannelStore): void {
  let host: AuthleteHost
  before(async () => {
    host = await startAuthlete({
      store: open(),
      delivery: { modes: ['poll', 'push'] },
      clients: {
        find: ({ clientId: id }) =>
          [
            ...clients,
            {
              ...clients[1],
              client_id: 'push',
              backchannel_token_delivery_mode: 'push' as const,
              backchannel_client_notification_endpoint: 'https://client.example/cb',
            },
          ].find(({ client_id }) => client_id === id),
      },
    })
  })
  after(() => host?.close())

  const ticketOf = async (parameters: Record<string, string> = asked) =>
    (await host.authenticate(parameters)).ticket ?? ''

  it('issues a ticket once, completes it for one user, and lets the client collect once', async () => {
    const ticket = await ticketOf({ ...asked, requested_expiry: '120' })
    const issues = await Promise.all([1, 2, 3].map(() => host.issue(ticket)))
    const [issued, ...others] = issues.filter(({ action }) => action === 'OK')
    expect([issued?.expiresIn, others.length]).to.deep.equal([120, 0])
    const completions = await Promise.all(
      ['alice', 'alice', 'bob'].map((subject) => host.complete({ ticket, subject })),
    )
    expect(new Set(completions.map(({ action }) => action))).to.deep.equal(new Set(['NO_ACTION', 'SERVER_ERROR']))
    const parameters = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: issued?.authReqId ?? '' }
    const polls = await Promise.all([1, 2, 3].map(() => host.token(parameters)))
    expect(polls.filter(({ action }) => action === 'OK').length).to.equal(1)
  })

  it('pushes the same tokens however often it is completed', async () => {
    const ticket = await ticketOf(push)
    await host.issue(ticket)
    const completions = await Promise.all([1, 2, 3].map(() => host.complete({ ticket })))
    completions.push(await host.complete({ ticket }))
    expect(completions[0]?.accessToken).to.be.a('string')
    expect(new Set(completions.map(({ responseContent }) => responseContent)).size).to.equal(1)
  })

  it('ends a ticket that fails', async () => {
    const ticket = await ticketOf()
    const refused = { action: 'FORBIDDEN' }
    expect(await host.fail(ticket, 'ACCESS_DENIED')).to.include(refused)
    expect(await host.fail(ticket, 'ACCESS_DENIED')).to.include(refused)
    expect((await host.issue(ticket)).action).to.equal('INVALID_TICKET')
  })
}

describe('tickets in every store', function () {
  this.timeout(30_000)

  describe('memoryStore', () => lives(() => memoryStore()))

  describe('keyvStore', () => lives(() => keyvStore(new Keyv())))

  describe('redisStore', () => {
    let server: Server
    let client: Redis
    before(async function () {
      skipWithout(this, 'redis-server')
      server = await startRedis()
      client = new Redis(server.url)
    })
    after(async () => {
      client?.disconnect()
      await server?.close()
    })
    lives(() => redisStore(client))
  })

  describe('postgresStore', () => {
    let server: Server
    let pool: pg.Pool
    before(async function () {
      skipWithout(this, 'postgres')
      server = await startPostgres()
      pool = new pg.Pool({ connectionString: server.url, max: 10 })
      await postgresStore(pool).migrate()
    })
    after(async () => {
      await pool?.end()
      await server?.close()
    })
    lives(() => postgresStore(pool))
  })
})
