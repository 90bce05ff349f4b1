import { expect } from 'chai'
import { type BackchannelStore, cibaGrantType, inProcessQueue, memoryStore, type SessionUser } from 'express-ciba'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { type Answer, clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { makeDpopKey } from '../helpers/dpop.ts'
import { clients, type Host, type HostOptions, noLimits, startHost } from '../helpers/host.ts'
import { notificationToken, quiet } from '../helpers/notified.ts'

const timeoutSeconds = 0.05
/** When what fails too late fails, counted from its call. */
const lateMs = 80
const api = 'https://api.example/'
const basicOf = (id: string) => `Basic ${Buffer.from(`${id}:till-secret-0123456789-0123456789`).toString('base64')}`

/** A call that never ends, and one that fails when nobody listens any more. */
const stalls = {
  'never answers': () => new Promise<never>(() => {}),
  'fails too late': () => new Promise<never>((_resolve, reject) => setTimeout(() => reject(new Error('late')), lateMs)),
}

type Call = (...args: never[]) => unknown

/** Everything that a host can plug in; what `stuck` names stalls, and the rest answers at once. */
function pluggedIn() {
  const state = { stuck: '', stall: stalls['never answers'], asked: [] as string[] }
  const hook = <F extends Call>(name: string, answer: F): F =>
    ((...args: never[]) => {
      state.asked.push(name)
      return state.stuck === name ? state.stall() : answer(...args)
    }) as F
  const each = <T extends object>(prefix: string, plugged: T): T =>
    Object.fromEntries(
      Object.entries(plugged).map(([name, value]) => [
        name,
        typeof value === 'function' ? hook(`${prefix}${name}`, value as Call) : value,
      ]),
    ) as T
  const alice: SessionUser = { sub: 'alice', authTime: Math.floor(Date.now() / 1000) }
  const till = {
    ...clients[0],
    client_id: 'till',
    grant_types: [cibaGrantType, 'refresh_token'],
    backchannel_user_code_parameter: true,
  }
  const ping = {
    ...till,
    client_id: 'ping',
    backchannel_token_delivery_mode: 'ping',
    backchannel_client_notification_endpoint: 'https://client.example/cb',
  } as const
  const { start, close, ...queue } = inProcessQueue()
  const { subscribe: _, close: closeStore, ...store } = memoryStore()
  const options: HostOptions = {
    timeoutSeconds,
    clients: { find: hook('clients.find', ({ clientId }) => [till, ping].find((one) => one.client_id === clientId)) },
    users: each('users.', {
      find: () => ({ sub: 'alice', phone_number: '+15550100' }),
      isActive: () => true,
      claims: () => ({ email: 'alice@example.com' }),
      needsUserCode: () => true,
      checkUserCode: () => true,
    }),
    session: {
      ...each('session.', { current: () => alice, verifyToken: () => alice }),
      loginUrl: () => '/login',
    },
    requests: {
      userCodes: true,
      loginHintToken: hook('requests.loginHintToken', () => ({ type: 'user_id' as const, value: 'alice' })),
      resources: hook('requests.resources', () => ({})),
    },
    tokens: each('tokens.', {
      accessToken: () => undefined,
      issueRefreshToken: () => true,
      mayIntrospect: () => true,
    }),
    page: { place: hook('page.place', () => 'Berlin') },
    store: { ...each('store.', store as BackchannelStore), ...(closeStore && { close: closeStore }) },
    limits: {
      ...noLimits,
      counter: (given) => {
        const counter = new RateLimiterMemory(given)
        return {
          get: hook('limits.counter', (key: string) => counter.get(key)),
          consume: hook('limits.counter', (key: string) => counter.consume(key)),
          block: hook('limits.counter', (key: string, seconds: number) => counter.block(key, seconds)),
          delete: hook('limits.counter', (key: string) => counter.delete(key)),
        }
      },
    },
    delivery: { queue: { start, close, ...each('delivery.queue.', queue) } },
  }
  return { state, options }
}

describe('what is plugged in and does not answer', () => {
  let host: Host
  let client: ReturnType<typeof clientOf>
  let state: ReturnType<typeof pluggedIn>['state']
  before(async () => {
    const plugged = pluggedIn()
    state = plugged.state
    host = await startHost(plugged.options)
    client = clientOf(host)
  })
  after(() => host?.close())

  /** Rejections that nobody heard: they would end a process. */
  const unheard: unknown[] = []
  const listeners = process.listeners('unhandledRejection')
  const hear = (thrown: unknown) => unheard.push(thrown)
  beforeEach(() => {
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', hear)
    unheard.length = 0
    host.events.length = 0
  })
  afterEach(() => {
    state.stuck = ''
    process.off('unhandledRejection', hear)
    for (const each of listeners) process.on('unhandledRejection', each)
  })

  const form = { scope: 'openid email offline_access', login_hint: 'alice', user_code: '1' }
  const viaLink = { request_context: JSON.stringify({ channel: 'link', login_hint_type: 'user_id' }) }
  const started = async () =>
    (await client.start({ ...form, ...viaLink })).body as { auth_req_id: string; link: string }
  const approve = (request: string) => host.router.backchannel.approve({ request, by: { sub: 'alice' } })
  const approved = async () => {
    const { auth_req_id } = await started()
    await approve(auth_req_id)
    return auth_req_id
  }
  const tokens = async () => (await client.poll(await approved())).body
  const opened = async () => {
    const device = deviceOf('alice')
    const { link } = await started()
    return { device, page: await device.open(link) }
  }
  const shown = async (page: Response): Promise<Pick<Answer, 'status' | 'headers'>> => {
    expect(await page.text()).to.include('<h1>')
    return page
  }

  /** The doors, the hooks behind each, and how to knock: what is prepared, and then the call itself. */
  const doors: readonly (readonly [
    door: string,
    hooks: readonly string[],
    prepare: () => Promise<() => Promise<Pick<Answer, 'status' | 'headers'>>>,
  ])[] = [
    [
      'a request',
      [
        'clients.find',
        'users.find',
        'users.isActive',
        'users.needsUserCode',
        'users.checkUserCode',
        'store.add',
        'limits.counter',
      ],
      async () => () => client.start(form),
    ],
    ['a request for a resource', ['requests.resources'], async () => () => client.start({ ...form, resource: api })],
    [
      'a request with a login_hint_token',
      ['requests.loginHintToken'],
      async () => () => client.start({ scope: 'openid', user_code: '1', login_hint_token: 'x' }),
    ],
    [
      'a request with a proof',
      ['store.firstSeen'],
      async () => {
        const proof = await (await makeDpopKey()).proof(`${host.origin}/oidc/backchannel`)
        return () => client.start(form, { authorization: client.basic, ...proof })
      },
    ],
    [
      'a request of a client that is pinged',
      ['delivery.queue.add'],
      async () => () =>
        client.start({ ...form, client_notification_token: notificationToken }, { authorization: basicOf('ping') }),
    ],
    [
      'a poll',
      ['clients.find', 'store.poll'],
      async () => {
        const { auth_req_id } = await started()
        return () => client.poll(auth_req_id)
      },
    ],
    [
      'the poll that gets the tokens',
      [
        'users.isActive',
        'users.claims',
        'tokens.accessToken',
        'tokens.issueRefreshToken',
        'store.move',
        'store.addGrant',
      ],
      async () => {
        const authReqId = await approved()
        return () => client.poll(authReqId)
      },
    ],
    [
      'a refresh',
      ['clients.find', 'users.isActive', 'users.claims', 'store.findGrant', 'store.rotate'],
      async () => {
        const { refresh_token } = await tokens()
        return () => client.post('/oidc/token', { grant_type: 'refresh_token', refresh_token })
      },
    ],
    [
      'an introspection',
      ['clients.find', 'tokens.mayIntrospect', 'store.seen'],
      async () => {
        const { access_token: token } = await tokens()
        return () => client.post('/oidc/introspect', { token }, { authorization: basicOf('ping') })
      },
    ],
    [
      'a revocation',
      ['clients.find', 'store.findGrant', 'store.endGrant'],
      async () => {
        const { refresh_token: token } = await tokens()
        return () => client.post('/oidc/revoke', { token })
      },
    ],
    [
      'the link',
      ['store.find'],
      async () => {
        const { link } = await started()
        return async () => shown(await deviceOf('alice').go(link))
      },
    ],
    [
      'the page',
      ['session.current', 'store.find', 'users.isActive', 'clients.find'],
      async () => {
        const { device, page } = await opened()
        return async () => shown(await device.go(page.url))
      },
    ],
    [
      'the decision on the page',
      ['session.current', 'store.find', 'users.isActive', 'store.move'],
      async () => {
        const { device, page } = await opened()
        return async () => shown(await device.press(page, 'approve'))
      },
    ],
    [
      'the completion',
      ['session.verifyToken', 'store.find', 'users.isActive', 'store.move'],
      async () => {
        const { auth_req_id } = await started()
        return () => client.complete({ auth_req_id, approved: true })
      },
    ],
  ]

  for (const [how, stall] of Object.entries(stalls)) {
    for (const [door, hooks, prepare] of doors) {
      for (const name of hooks) {
        it(`${name} ${how}: ${door} is answered 503, in time`, async () => {
          const knock = await prepare()
          host.events.length = 0
          Object.assign(state, { stall, stuck: name, asked: [] })
          const began = performance.now()
          const { status, headers } = await knock()
          expect(state.asked).to.include(name)
          expect([status, headers.get('retry-after')]).to.deep.equal([503, '5'])
          expect(performance.now() - began).to.be.within(timeoutSeconds * 1000 - 5, 2000)
          expectOutage(name)
          if (how === 'fails too late') await quiet(lateMs)
          expect(unheard).to.deep.equal([])
        })
      }
    }

    for (const name of ['store.find', 'users.isActive', 'store.move']) {
      it(`${name} ${how}: backchannel.approve rejects, in time`, async () => {
        const { auth_req_id } = await started()
        Object.assign(state, { stall, stuck: name })
        const began = performance.now()
        const thrown = await approve(auth_req_id).catch((error: unknown) => error)
        expect(thrown).to.include({ status: 503, code: 'temporarily_unavailable' })
        expect(performance.now() - began).to.be.within(timeoutSeconds * 1000 - 5, 2000)
        expectOutage(name)
        if (how === 'fails too late') await quiet(lateMs)
        expect(unheard).to.deep.equal([])
        state.stuck = ''
        expect(await approve(auth_req_id)).to.include({ status: 'approved' })
      })
    }

    it(`page.place ${how}: the page is shown without it`, async () => {
      const { device, page } = await opened()
      expect(page.html).to.include('Berlin')
      Object.assign(state, { stall, stuck: 'page.place' })
      const again = await device.go(page.url)
      expect([again.status, (await again.text()).includes('Berlin')]).to.deep.equal([200, false])
      expectOutage('page.place')
      if (how === 'fails too late') await quiet(lateMs)
      expect(unheard).to.deep.equal([])
    })
  }

  function expectOutage(name: string): void {
    const outages = host.events.filter((event) => event.type === 'outage')
    expect(outages.map(({ cause }) => (cause as Error).message)).to.include(
      `${name} did not answer within ${timeoutSeconds * 1000} ms`,
    )
    expect(host.events.filter(({ type }) => type === 'fault')).to.deep.equal([])
  }

  it('tokens.issue, that makes the tokens, does not answer: 503, and the client polls again', async () => {
    let stall = true
    const other = await startHost({
      timeoutSeconds,
      polling: { intervalSeconds: 1 },
      tokens: { issue: () => (stall ? stalls['never answers']() : { access_token: 'made-by-the-host' }) },
    })
    try {
      const otherClient = clientOf(other)
      const { auth_req_id } = (await otherClient.start()).body
      await other.router.backchannel.approve({ request: auth_req_id, by: { sub: 'alice' } })
      expect((await otherClient.poll(auth_req_id)).status).to.equal(503)
      stall = false
      expect((await otherClient.poll(auth_req_id)).body.access_token).to.equal('made-by-the-host')
    } finally {
      await other.close()
    }
  })
})
