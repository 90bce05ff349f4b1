import { expect } from 'chai'
import {
  type BackchannelError,
  type BackchannelStore,
  type ClientMetadata,
  memoryStore,
  type SessionUser,
} from 'express-ciba'
import { type AuthleteHost, startAuthlete } from '../helpers/authlete.ts'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, type HostOptions, startHost } from '../helpers/host.ts'
import { quiet, startNotified } from '../helpers/notified.ts'
import { until } from '../helpers/until.ts'

const viaLink = { request_context: JSON.stringify({ channel: 'link', login_hint_type: 'user_id' }) }
const alice = { scope: 'openid', login_hint: 'alice' }
const nowSeconds = () => Math.floor(Date.now() / 1000)

/** What came of a decision: the status of the request, or of the refusal. */
async function outcome(decided: Promise<{ status: unknown }>): Promise<string> {
  try {
    return String((await decided).status)
  } catch (thrown) {
    const { status, code } = thrown as BackchannelError
    return code === undefined ? String(thrown) : `${status} ${code}`
  }
}

describe('one door: the login that decides', () => {
  let host: Host
  let tickets: AuthleteHost
  const start = async (
    till: Partial<ClientMetadata>,
    approval: HostOptions['approval'] = {},
    session?: HostOptions['session'],
  ) => {
    const find = ({ clientId }: { clientId: string }) => {
      const client = clients.find(({ client_id }) => client_id === clientId)
      return client && { ...client, ...till }
    }
    host = await startHost({ clients: { find }, approval, ...(session && { session }) })
    tickets = await startAuthlete({ clients: { find }, approval })
  }
  afterEach(async () => {
    await host?.close()
    await tickets?.close()
  })

  for (const [what, till, approval] of [
    ['default_max_age', { default_max_age: 60 }, {}],
    ['freshLogin', {}, { freshLogin: true }],
  ] as const) {
    it(`${what} holds for backchannel.approve, and the request stays open`, async () => {
      await start(till, approval)
      const client = clientOf(host)
      const request = String((await client.start(alice)).body.auth_req_id)
      const approve = (login: Partial<SessionUser>) =>
        host.router.backchannel.approve({ request, by: { sub: 'alice', ...login } })
      const refused = await approve({ authTime: nowSeconds() - 3600 }).catch((thrown: BackchannelError) => thrown)
      expect(refused).to.include({ status: 401, code: 'insufficient_user_authentication' })
      expect((refused as BackchannelError).headers['WWW-Authenticate']).to.equal(
        `Bearer error="insufficient_user_authentication", max_age=${what === 'default_max_age' ? 60 : 0}`,
      )
      // default_max_age demands `auth_time` in the ID token: a host that does not know it has a mistake to mend
      expect(await outcome(approve({}))).to.equal(
        what === 'default_max_age' ? '500 server_error' : '401 insufficient_user_authentication',
      )
      expect((await client.poll(request)).body.error).to.equal('authorization_pending')
      const events = host.events.map(({ type }) => type)
      expect(events).not.to.include('request.approved').and.not.to.include('request.failed')
      expect(await outcome(approve({ authTime: nowSeconds() }))).to.equal('approved')
    })

    it(`${what} holds for tickets, and the request stays open`, async () => {
      await start(till, approval)
      const { ticket = '' } = await tickets.authenticate(alice)
      const { authReqId = '' } = await tickets.issue(ticket)
      const refused = await tickets.complete({ ticket, authTime: nowSeconds() - 3600 })
      expect(refused).to.include({ action: 'SERVER_ERROR' })
      expect(refused.resultMessage).to.include('This request demands another login')
      expect(await tickets.backchannel.find(authReqId)).to.include({ status: 'pending' })
      expect((await tickets.complete({ ticket, authTime: nowSeconds() })).action).to.equal('NO_ACTION')
    })

    it(`${what} holds for the screen that completes, and for the page`, async () => {
      let authTime = nowSeconds() - 3600
      await start(till, approval, {
        current: () => ({ sub: 'alice', authTime }),
        loginUrl: () => '/login',
        verifyToken: () => ({ sub: 'alice', authTime }),
      })
      const client = clientOf(host)
      const { auth_req_id, link } = (await client.start({ ...alice, ...viaLink })).body
      const refused = await client.complete({ auth_req_id, approved: true })
      expect([refused.status, refused.body.error]).to.deep.equal([401, 'insufficient_user_authentication'])
      const device = deviceOf('alice')
      const opened = await device.open(link)
      expect([opened.response.status, opened.response.headers.get('location')]).to.deep.equal([303, '/login'])
      expect((await client.poll(auth_req_id)).body.error).to.equal('authorization_pending')
      authTime = nowSeconds()
      expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(204)
    })
  }

  it('an approval that stands may be repeated when its login has become too old for a new one', async () => {
    await start({ default_max_age: 60 })
    const request = String((await clientOf(host).start(alice)).body.auth_req_id)
    const approve = (sub = 'alice', authTime = nowSeconds()) =>
      host.router.backchannel.approve({ request, by: { sub, authTime } })
    expect(await outcome(approve())).to.equal('approved')
    host.pass(120)
    expect(await outcome(approve())).to.equal('approved')
  })

  it('a denial needs no fresh login', async () => {
    await start({ default_max_age: 60 }, { freshLogin: true })
    const request = String((await clientOf(host).start(alice)).body.auth_req_id)
    expect(await outcome(host.router.backchannel.deny({ request, by: { sub: 'alice' } }))).to.equal('denied')
  })
})

describe('one door: users.isActive', () => {
  for (const [said, isActive] of [
    [1, true],
    ['yes', true],
    [0, false],
    ['', false],
    [null, false],
    [undefined, false],
  ] as const) {
    it(`that says ${said === '' ? 'an empty text' : said} says ${isActive ? 'yes' : 'no'}, at every door`, async () => {
      let answer: unknown = said
      const host = await startHost({
        users: { find: () => ({ sub: 'alice', phone_number: '+15550100' }), isActive: () => answer as boolean },
      })
      const tickets = await startAuthlete({ users: { find: () => undefined, isActive: () => answer as boolean } })
      try {
        const client = clientOf(host)
        const { approve } = host.router.backchannel
        expect((await client.start(alice)).status).to.equal(isActive ? 200 : 403)
        answer = true
        const [byCode, byScreen, byPage, polled] = await Promise.all(
          [1, 2, 3, 4].map(async () => (await client.start({ ...alice, ...viaLink })).body),
        )
        const device = deviceOf('alice')
        const page = await device.open(byPage.link)
        await approve({ request: polled.auth_req_id, by: { sub: 'alice' } })
        const { ticket = '' } = await tickets.authenticate(alice)
        await tickets.issue(ticket)
        answer = said
        expect(await outcome(approve({ request: byCode.auth_req_id, by: { sub: 'alice' } }))).to.equal(
          isActive ? 'approved' : '403 access_denied',
        )
        const completed = await client.complete({ auth_req_id: byScreen.auth_req_id, approved: true })
        expect(completed.status).to.equal(isActive ? 204 : 403)
        expect((await device.press(page, 'approve')).status).to.equal(isActive ? 303 : 403)
        expect((await client.poll(polled.auth_req_id)).body.error).to.equal(isActive ? undefined : 'access_denied')
        expect((await tickets.complete({ ticket })).action).to.equal(isActive ? 'NO_ACTION' : 'SERVER_ERROR')
      } finally {
        await host.close()
        await tickets.close()
      }
    })
  }
})

describe('one door: expired', () => {
  let host: Host
  let tickets: AuthleteHost
  let active = true
  let asked = () => {}
  beforeEach(async () => {
    active = true
    asked = () => {}
    const isActive = () => {
      asked()
      return active
    }
    host = await startHost({
      users: { find: () => ({ sub: 'alice', phone_number: '+15550100' }), isActive },
      clients: { find: () => ({ ...clients[0], client_id: 'till', default_max_age: 60 }) },
    })
    tickets = await startAuthlete({ users: { find: () => undefined, isActive } })
  })
  afterEach(async () => {
    await host?.close()
    await tickets?.close()
  })

  it('is said before anything else is', async () => {
    const client = clientOf(host)
    const request = String((await client.start(alice)).body.auth_req_id)
    host.pass(601)
    active = false
    const { approve, deny, fail } = host.router.backchannel
    for (const decided of [
      approve({ request, by: { sub: 'bob' } }),
      approve({ request, by: { sub: 'alice' } }),
      approve({ request, by: { sub: 'alice', authTime: nowSeconds() - 86_400 } }),
      approve({ request, by: { sub: 'alice' }, scope: ['openid', 'payments'] }),
      deny({ request, by: { sub: 'bob' } }),
      deny({ request }),
      fail({ request, reason: 'timeout' }),
    ]) {
      expect(await outcome(decided)).to.equal('410 expired_token')
    }
    expect(host.events.map(({ type }) => type)).not.to.include('user.mismatch')
  })

  it('is said of tickets before anything else is, and what was never issued says so before the user is looked at', async () => {
    const { ticket = '' } = await tickets.authenticate(alice)
    active = false
    expect((await tickets.complete({ ticket, subject: 'bob' })).resultMessage).to.include('has not been issued')
    const byId = tickets.backchannel.approve({ request: ticket.slice(0, 16), by: { sub: 'bob' } })
    expect(await outcome(byId)).to.equal('409 invalid_request')
    await tickets.issue(ticket)
    tickets.pass(601)
    expect((await tickets.complete({ ticket, subject: 'bob' })).resultMessage).to.include('has expired')
  })

  it('stores nothing when the time runs out while a hook thinks', async () => {
    const client = clientOf(host)
    const request = String((await client.start(alice)).body.auth_req_id)
    asked = () => host.pass(601)
    const approved = host.router.backchannel.approve({ request, by: { sub: 'alice', authTime: nowSeconds() } })
    expect(await outcome(approved)).to.equal('410 expired_token')
    expect(await host.router.backchannel.find(request)).to.include({ status: 'expired' })
    expect(host.events.map(({ type }) => type)).not.to.include('request.approved')
  })
})

const decisions = ['approved', 'denied', 'failed']

/** A store that stores a decision, and whose answer is lost; so often as `lose` says. */
function losing(store: BackchannelStore = memoryStore()) {
  let left = 0
  return {
    lose(times: number) {
      left = times
    },
    store: {
      ...store,
      async move(...[id, move]: Parameters<BackchannelStore['move']>) {
        const moved = await store.move(id, move)
        if (decisions.includes(move.to) && left-- > 0) throw new Error('the connection was lost after the move')
        return moved
      },
    },
  }
}

describe('one door: a store whose answer to the decision is lost', () => {
  let host: Host
  const answers: unknown[] = []
  const start = async (options: HostOptions = {}) => {
    answers.length = 0
    const { lose, store } = losing()
    host = await startHost({ store, onAnswer: ({ answer }) => void answers.push(answer.result), ...options })
    return { lose, client: clientOf(host), backchannel: host.router.backchannel }
  }
  afterEach(() => host?.close())
  const told = () =>
    host.events.map(({ type }) => type).filter((type) => /^request\.(approved|denied|failed|not_me)$/.test(type))

  it('the repetition tells of an approval, once, however often and at whatever time it is repeated', async () => {
    const { lose, client, backchannel } = await start()
    const request = String((await client.start(alice)).body.auth_req_id)
    const approve = () => backchannel.approve({ request, by: { sub: 'alice' } })
    lose(1)
    expect(await outcome(approve())).to.equal('503 temporarily_unavailable')
    expect([told(), answers]).to.deep.equal([[], []])
    const again = await Promise.all([1, 2, 3, 4].map(() => outcome(approve())))
    expect(new Set(again)).to.deep.equal(new Set(['approved']))
    expect(await outcome(approve())).to.equal('approved')
    expect([told(), answers]).to.deep.equal([['request.approved'], ['approved']])
    expect((await client.poll(request)).status).to.equal(200)
  })

  it('so it is when the answer is lost twice', async () => {
    const { lose, client, backchannel } = await start()
    const request = String((await client.start(alice)).body.auth_req_id)
    const approve = () => outcome(backchannel.approve({ request, by: { sub: 'alice' } }))
    lose(2)
    for (const said of ['503 temporarily_unavailable', '503 temporarily_unavailable', 'approved', 'approved']) {
      expect(await approve()).to.equal(said)
    }
    expect([told(), answers]).to.deep.equal([['request.approved'], ['approved']])
  })

  it('"I did not start this" keeps the client away, once it is said again', async () => {
    const { lose, client, backchannel } = await start()
    const request = String((await client.start(alice)).body.auth_req_id)
    const report = () => outcome(backchannel.deny({ request, by: { sub: 'alice' }, reason: 'not_me' }))
    lose(1)
    expect(await report()).to.equal('503 temporarily_unavailable')
    expect(await report()).to.equal('denied')
    expect([told(), answers]).to.deep.equal([['request.denied', 'request.not_me'], ['denied']])
    expect((await client.start(alice)).body.error).to.equal('access_denied')
    expect(await report()).to.equal('denied')
    expect(told()).to.deep.equal(['request.denied', 'request.not_me'])
    expect(await backchannel.unblock({ clientId: 'till', sub: 'alice' })).to.equal(true)
    expect((await client.start(alice)).status).to.equal(200)
  })

  it('another decision is refused, and the one that stands has its effects', async () => {
    const { lose, client, backchannel } = await start()
    const request = String((await client.start(alice)).body.auth_req_id)
    lose(1)
    await outcome(backchannel.deny({ request, by: { sub: 'alice' }, reason: 'not_me' }))
    expect(await outcome(backchannel.approve({ request, by: { sub: 'alice' } }))).to.equal('409 invalid_request')
    expect(told()).to.deep.equal(['request.denied', 'request.not_me'])
    expect((await client.start(alice)).body.error).to.equal('access_denied')
  })

  it('the page says what stands when it is loaded again, and makes good what is missing', async () => {
    const { lose, client } = await start()
    const { auth_req_id, link } = (await client.start({ ...alice, ...viaLink })).body
    const device = deviceOf('alice')
    const page = await device.open(link)
    lose(1)
    expect((await device.press(page, 'not_me')).status).to.equal(503)
    expect(told()).to.deep.equal([])
    for (const load of [1, 2]) {
      const shown = await device.go(page.url)
      expect([load, shown.status]).to.deep.equal([load, 200])
      expect(told()).to.deep.equal(['request.denied', 'request.not_me'])
    }
    expect((await client.poll(auth_req_id)).body.error).to.equal('access_denied')
    expect((await client.start(alice)).body.error).to.equal('access_denied')
  })

  it('the screen that completes says it again, and it counts once', async () => {
    const { lose, client } = await start()
    const { auth_req_id } = (await client.start(alice)).body
    lose(1)
    expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(503)
    expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(204)
    expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(204)
    expect([told(), answers]).to.deep.equal([['request.approved'], ['approved']])
  })

  it('a store that is slower than a hook may be, and stores after all, counts once too', async () => {
    const store = memoryStore()
    let delayMs = 0
    const slow: BackchannelStore = {
      ...store,
      async move(id, move) {
        const wait = decisions.includes(move.to) ? delayMs : 0
        delayMs = 0
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
        return store.move(id, move)
      },
    }
    const { client, backchannel } = await start({ store: slow, timeoutSeconds: 0.1 })
    for (const [waitMs, pauseMs] of [
      [250, 400], // stored by the first call, before it is repeated
      [400, 0], // stored by the repetition, before the first call gets there
    ] as const) {
      host.events.length = 0
      answers.length = 0
      const request = String((await client.start(alice)).body.auth_req_id)
      const approve = () => outcome(backchannel.approve({ request, by: { sub: 'alice' } }))
      delayMs = waitMs
      expect(await approve()).to.equal('503 temporarily_unavailable')
      await quiet(pauseMs)
      expect(await approve()).to.equal('approved')
      await quiet(500)
      expect(await approve()).to.equal('approved')
      expect([told(), answers]).to.deep.equal([['request.approved'], ['approved']])
    }
  })

  it('a ticket is completed again, and it counts once', async () => {
    const { lose, store } = losing()
    const tickets = await startAuthlete({ store })
    try {
      const { ticket = '' } = await tickets.authenticate(alice)
      await tickets.issue(ticket)
      lose(1)
      expect((await tickets.complete({ ticket })).action).to.equal('SERVER_ERROR')
      expect((await tickets.complete({ ticket })).action).to.equal('NO_ACTION')
      expect((await tickets.complete({ ticket })).action).to.equal('NO_ACTION')
      expect(tickets.events.filter(({ type }) => type === 'request.approved')).to.have.length(1)
    } finally {
      await tickets.close()
    }
  })

  for (const mode of ['ping', 'push'] as const) {
    it(`a client that is told by ${mode} is told once`, async () => {
      const { lose, store } = losing()
      const notified = await startNotified(mode, { store })
      try {
        const request = await notified.start()
        const approve = () => outcome(notified.host.router.backchannel.approve({ request, by: { sub: 'alice' } }))
        lose(1)
        expect(await approve()).to.equal('503 temporarily_unavailable')
        await quiet()
        expect(notified.receiver.calls).to.have.length(0)
        await Promise.all([approve(), approve()])
        await notified.receiver.received(1)
        if (mode === 'push') await until(() => notified.events('request.delivered').length === 1)
        expect(await approve()).to.match(/^(approved|delivered)$/)
        await quiet()
        expect(notified.receiver.calls).to.have.length(1)
        expect(notified.events('request.approved')).to.have.length(1)
      } finally {
        await notified.close()
      }
    })
  }
})
