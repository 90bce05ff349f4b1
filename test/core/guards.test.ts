import { expect } from 'chai'
import type { Request } from 'express'
import type { Channel, Notice } from '../../lib/contracts/channel.ts'
import type { ClientMetadata } from '../../lib/contracts/clients.ts'
import type { TokenOptions } from '../../lib/contracts/options.ts'
import type { DeliveryQueue } from '../../lib/contracts/queue.ts'
import type { RequestRecord } from '../../lib/contracts/request.ts'
import type { Session } from '../../lib/contracts/session.ts'
import type { BackchannelStore } from '../../lib/contracts/store.ts'
import type { BackchannelEvent, Telemetry } from '../../lib/contracts/telemetry.ts'
import type { Grant, Resources } from '../../lib/contracts/tokens.ts'
import type { Hint, User, Users } from '../../lib/contracts/users.ts'
import { BackchannelError, ChannelError } from '../../lib/core/errors.ts'
import { type AskHookOptions, guardAskHooks } from '../../lib/core/guards/askHooks.ts'
import { guardChannels } from '../../lib/core/guards/channels.ts'
import { createGuard } from '../../lib/core/guards/guard.ts'
import { guardQueue } from '../../lib/core/guards/queue.ts'
import { guardSession } from '../../lib/core/guards/session.ts'
import { guardStore } from '../../lib/core/guards/store.ts'
import { guardTokenHooks } from '../../lib/core/guards/tokenHooks.ts'
import { guardUsers } from '../../lib/core/guards/users.ts'
import { createClientDirectory } from '../../lib/protocol/client/metadata.ts'

const client: ClientMetadata = { client_id: 'till' }
const hint: Hint = { type: 'user_id', value: 'alice' }
const req = {} as Request
const grant = {} as Grant
const notice = {} as Notice
const never = () => new Promise<never>(() => {})
const broken = new Error('broken')
const breaks = () => {
  throw broken
}

/** Hosts in plain JavaScript return anything. */
const anything = <T>(value: unknown): T => value as T

let events: BackchannelEvent[]
let unhandled: unknown[]

function guardWith(telemetry?: Pick<Telemetry, 'step'>, timeoutMs = 1_000) {
  return createGuard({ emit: (event) => events.push(event), telemetry, timeoutMs })
}

/** What a call throws, now or later. */
async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (thrown) {
    return thrown
  }
  throw new Error('nothing was thrown')
}

async function expectOutage(call: () => unknown, of: string): Promise<BackchannelError> {
  const thrown = (await thrownBy(call)) as BackchannelError
  expect(thrown).to.be.instanceOf(BackchannelError)
  expect(thrown).to.include({ code: 'temporarily_unavailable', status: 503 })
  expect(events.at(-1)).to.include({ type: 'outage', of, cause: thrown.cause })
  return thrown
}

async function expectMistake(call: () => unknown, ...texts: string[]): Promise<void> {
  const thrown = (await thrownBy(call)) as Error
  expect(thrown).to.be.instanceOf(TypeError)
  for (const text of texts) expect(thrown.message).to.include(text)
}

describe('guards', () => {
  const note = (cause: unknown) => unhandled.push(cause)

  beforeEach(() => {
    events = []
    unhandled = []
    process.on('unhandledRejection', note)
  })

  afterEach(async () => {
    await new Promise(setImmediate)
    process.off('unhandledRejection', note)
    expect(unhandled, 'rejections that were not handled').to.deep.equal([])
  })

  describe('a call', () => {
    it('gives what the hook returns, now or later', async () => {
      expect(await guardWith().call('users', 'users.find', () => 1)).to.equal(1)
      expect(await guardWith().call('users', 'users.find', async () => 2)).to.equal(2)
      expect(events).to.deep.equal([])
    })

    it('takes a thenable of another library for a promise', async () => {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about
      const query = { then: (resolve: (rows: number) => void) => resolve(3) }
      expect(await guardWith().call('users', 'users.find', () => anything<Promise<number>>(query))).to.equal(3)
    })

    it('that never answers is an outage after its time', async () => {
      const { cause } = await expectOutage(() => guardWith(undefined, 5).call('users', 'users.find', never), 'users')
      expect((cause as Error).message).to.equal('users.find did not answer within 5 ms')
    })

    it('may have a time of its own', async () => {
      await expectOutage(() => guardWith().call('store', 'store.find', never, 5), 'store')
    })

    it('that throws, or rejects, is an outage', async () => {
      for (const hook of [breaks, () => Promise.reject(broken)]) {
        const { cause } = await expectOutage(() => guardWith().call('clients', 'clients.find', hook), 'clients')
        expect(cause).to.equal(broken)
      }
    })

    it('that rejects after its time ends nothing', async () => {
      let reject: (cause: unknown) => void = () => {}
      const late = () =>
        new Promise<never>((_, fail) => {
          reject = fail
        })
      await expectOutage(() => guardWith(undefined, 5).call('users', 'users.find', late), 'users')
      reject(broken)
      await new Promise(setImmediate)
      expect(events).to.have.length(1)
    })

    it('passes on what the hook says in our own errors', async () => {
      const refusal = new BackchannelError('access_denied', 'No')
      const undeliverable = new ChannelError('undeliverable', 'gone')
      for (const error of [refusal, undeliverable]) {
        expect(await thrownBy(() => guardWith().call('users', 'users.find', () => Promise.reject(error)))).to.equal(
          error,
        )
      }
      expect(events).to.deep.equal([])
    })
  })

  describe('a call that has to answer at once', () => {
    it('gives what the hook returns, and is an outage when it throws', async () => {
      expect(guardWith().sync('session', 'session.loginUrl', () => '/login')).to.equal('/login')
      await expectOutage(() => guardWith().sync('session', 'session.loginUrl', breaks), 'session')
    })

    it('is a mistake when it returns a promise, whatever becomes of that', async () => {
      for (const promise of [() => Promise.resolve('/login'), () => Promise.reject(broken)]) {
        await expectMistake(
          () => guardWith().sync('session', 'session.loginUrl', promise),
          'option "session.loginUrl" must answer at once',
        )
      }
    })
  })

  describe('telemetry', () => {
    const step = (run: Telemetry['step']) => guardWith({ step: run }).call('users', 'users.find', async () => 'alice')

    it('sees the step, and how it ended', async () => {
      const seen: unknown[] = []
      const watching: Pick<Telemetry, 'step'> = {
        async step(name, run) {
          seen.push(name)
          return run().finally(() => seen.push('end'))
        },
      }
      expect(await guardWith(watching).call('users', 'users.find', async () => 'alice')).to.equal('alice')
      await expectOutage(() => guardWith(watching).call('channels', 'channels.sms.send', breaks), 'channels')
      expect(seen).to.deep.equal(['users', 'end', 'channel', 'end'])
      expect(events).to.have.length(1)
    })

    it('that throws before or after the step breaks no call', async () => {
      expect(await step(breaks)).to.equal('alice')
      expect(
        await step((_, run) => {
          run()
          throw broken
        }),
      ).to.equal('alice')
      expect(events).to.deep.equal([
        { type: 'fault', cause: broken },
        { type: 'fault', cause: broken },
      ])
    })

    it('that rejects breaks no call', async () => {
      const rejecting: Telemetry['step'] = async (_, run) => {
        await run()
        throw broken
      }
      expect(await step(rejecting)).to.equal('alice')
      await new Promise(setImmediate)
      expect(events).to.deep.equal([{ type: 'fault', cause: broken }])
    })

    it('that never runs the step, never ends, or runs it twice breaks no call', async () => {
      let runs = 0
      const find = async () => {
        runs += 1
        return 'alice'
      }
      const wrong: Telemetry['step'][] = [
        never,
        () => Promise.resolve(anything('nothing')),
        (_, run) => {
          run()
          return run()
        },
      ]
      for (const run of wrong)
        expect(await guardWith({ step: run }).call('users', 'users.find', find)).to.equal('alice')
      expect(runs).to.equal(3)
    })
  })

  describe('users', () => {
    const users = (hooks: object) => guardUsers(anything<Users>(hooks), undefined, guardWith(undefined, 5))
    const find = (user: unknown) => users({ find: () => user }).find(hint, client)

    it('are found, or not', async () => {
      const alice = { sub: 'alice', device: '7' }
      expect(await find(alice)).to.equal(alice)
      expect(await find(Promise.resolve(alice))).to.equal(alice)
      expect(await find(undefined)).to.equal(undefined)
      expect(await find(null)).to.equal(undefined)
    })

    it('are asked for by one object, as a method of the host', async () => {
      class Directory {
        readonly known = 'alice'
        find(query: unknown) {
          return { sub: this.known, query }
        }
      }
      expect(await users(new Directory()).find(hint, client)).to.deep.equal({ sub: 'alice', query: { hint, client } })
    })

    it('have a sub of 1 to 255 visible ASCII characters', async () => {
      for (const sub of [undefined, null, 7, '', 'a b', 'zoë', 'a'.repeat(256), ['alice']]) {
        await expectMistake(() => find({ sub }), 'option "users.find" returned a user with a wrong "sub"')
      }
      expect(await find({ sub: 'a'.repeat(255) })).to.have.property('sub')
    })

    it('are objects', async () => {
      for (const user of ['alice', 7, true, [{ sub: 'alice' }]]) {
        await expectMistake(() => find(user), 'option "users.find" returned what is not a user')
      }
    })

    it('have no members that are null or empty', async () => {
      const nobody = { name: null, email: null, phone_number: '', locale: '', email_verified: null }
      const user = (await find({ sub: 'alice', ...nobody, device: null })) as User
      for (const name of Object.keys(nobody)) expect(user[name], name).to.equal(undefined)
      expect(user).to.include({ sub: 'alice', device: null })
    })

    it('keep what their class gives them', async () => {
      class Row {
        email: unknown = null
        get sub() {
          return 'alice'
        }
      }
      const user = await find(new Row())
      expect(user).to.be.instanceOf(Row)
      expect([user?.sub, user?.email]).to.deep.equal(['alice', undefined])
    })

    it('may be frozen', async () => {
      const user = await find(Object.freeze({ sub: 'alice', email: null, email_verified: 1 }))
      expect(user).to.deep.equal({ sub: 'alice', email: undefined, email_verified: true })
    })

    it('are verified by 0 and 1 as by false and true', async () => {
      const user = await find({ sub: 'alice', email_verified: 0, phone_number_verified: 1 })
      expect(user).to.include({ email_verified: false, phone_number_verified: true })
    })

    it('are a mistake with members of another type, and no value is told', async () => {
      const secret = 'a-value'
      for (const [name, value] of Object.entries({ email: [secret], locale: { secret }, email_verified: secret })) {
        const thrown = (await thrownBy(() => find({ sub: 'alice', [name]: value }))) as Error
        expect(thrown.message).to.include(`a user with a wrong "${name}"`).and.not.include(secret)
      }
    })

    it('are active by truth: 1 is yes', async () => {
      const isActive = (answer: unknown) => users({ isActive: () => answer }).isActive('alice')
      for (const yes of [true, 1, 'yes', Promise.resolve(1)]) expect(await isActive(yes), String(yes)).to.equal(true)
      for (const no of [false, 0, undefined, null, '']) expect(await isActive(no), String(no)).to.equal(false)
    })

    it('are active, and want a code, where the host has no such hook; no code is right then', async () => {
      const { isActive, needsUserCode, checkUserCode, claims, hasClaims, readHintToken } = users({})
      expect(await isActive('alice')).to.equal(true)
      expect(await needsUserCode({ sub: 'alice' }, client)).to.equal(true)
      expect(await checkUserCode({ sub: 'alice' }, '1234')).to.equal(false)
      expect(await claims('alice', [], [])).to.deep.equal({})
      expect([hasClaims, readHintToken]).to.deep.equal([false, undefined])
    })

    it('have codes that are checked, and needed, by truth', async () => {
      const host = users({ checkUserCode: () => 1, needsUserCode: () => 0 })
      expect(await host.checkUserCode({ sub: 'alice' }, '1234')).to.equal(true)
      expect(await host.needsUserCode({ sub: 'alice' }, client)).to.equal(false)
    })

    it('have claims in an object, or none', async () => {
      const claims = (value: unknown) => users({ claims: () => value }).claims('alice', [], [])
      expect(await claims({ name: 'Alice' })).to.deep.equal({ name: 'Alice' })
      expect(await claims(null)).to.deep.equal({})
      await expectMistake(() => claims('Alice'), 'option "users.claims"')
    })

    it('are out of reach when a hook throws or never answers', async () => {
      await expectOutage(() => find(never()), 'users')
      await expectOutage(() => users({ isActive: breaks }).isActive('alice'), 'users')
    })

    it('are named by hint tokens of the right shape', async () => {
      const read = (value: unknown) =>
        guardUsers(anything({}), () => anything(value), guardWith()).readHintToken?.('token', client)
      expect(await read({ type: 'email', value: 'a@b.c', claims: null })).to.deep.equal({
        type: 'email',
        value: 'a@b.c',
      })
      for (const nobody of [undefined, null, { type: 'email', value: '' }])
        expect(await read(nobody)).to.equal(undefined)
      await expectMistake(() => read({ type: 'email', value: 7 }), 'option "requests.loginHintToken"', '"value"')
      await expectMistake(() => read({ type: 'name', value: 'alice' }), '"type"')
    })
  })

  describe('the session', () => {
    const session = (hooks: object) => guardSession(anything<Session>(hooks), guardWith())
    const current = (user: unknown) => session({ current: () => user }).current(req)

    it('has a user, or none', async () => {
      const user = { sub: 'alice', authTime: 1_700_000_000.5, acr: 'gold', amr: ['pwd'] }
      expect(await current({ ...user, cart: [] })).to.deep.equal(user)
      expect(await current({ sub: 'alice', authTime: null, acr: null, amr: null })).to.deep.equal({ sub: 'alice' })
      expect(await current(null)).to.equal(undefined)
      expect(await current(undefined)).to.equal(undefined)
    })

    it('tells when the login was in epoch seconds', async () => {
      const text = 'option "session.current" returned a user with a wrong "authTime"'
      await expectMistake(() => current({ sub: 'alice', authTime: Date.now() }), text, 'not milliseconds')
      for (const authTime of [Number.NaN, Number.POSITIVE_INFINITY, '1700000000', new Date()]) {
        await expectMistake(() => current({ sub: 'alice', authTime }), text)
      }
    })

    it('has users with a sub, at both doors', async () => {
      for (const sub of [undefined, 7, '', 'a b']) {
        await expectMistake(() => current({ sub }), 'option "session.current"', '"sub"')
        const { verifyToken } = session({ verifyToken: () => ({ sub }) })
        await expectMistake(() => verifyToken?.('token'), 'option "session.verifyToken"', '"sub"')
      }
      expect(session({}).verifyToken).to.equal(undefined)
    })

    it('says at once where to sign in', async () => {
      const loginUrl = (url: unknown) => session({ loginUrl: () => url }).loginUrl('/after', {})
      expect(loginUrl('/login')).to.equal('/login')
      for (const url of [undefined, '', Promise.resolve('/login')]) {
        await expectMistake(() => loginUrl(url), 'option "session.loginUrl"')
      }
      await expectOutage(() => session({ loginUrl: breaks }).loginUrl('/after', {}), 'session')
    })
  })

  describe('clients', () => {
    const find = (metadata: unknown) =>
      createClientDirectory({ find: () => anything(metadata) }, guardWith()).find('till')

    it('are the object that was registered, or none', async () => {
      const registered = { ...client, client_secret: 'till-secret-0123456789-0123456789' }
      expect((await find(registered))?.metadata).to.equal(registered)
      expect(await find(null)).to.equal(undefined)
      await expectMistake(() => find('till'), 'option "clients.find"')
      await expectOutage(() => find(Promise.reject(broken)), 'clients')
    })
  })

  describe('the store', () => {
    const record = anything<RequestRecord>({ id: 'r', issuer: 'https://a.example' })
    const store = (verbs: object) =>
      guardStore(anything<BackchannelStore>(verbs), guardWith(undefined, 5), 'https://a.example')

    it('answers null as nothing', async () => {
      const verbs = { find: () => null, poll: () => null, move: () => null, findGrant: () => null, rotate: () => null }
      const { find, poll, move, findGrant, rotate } = store(verbs)
      for (const answer of [find('r'), poll('r', anything({}), 0), move('r', anything({}))]) {
        expect(await answer).to.equal(undefined)
      }
      expect(await findGrant('g')).to.equal(undefined)
      expect(await rotate('g', anything({}))).to.equal(undefined)
    })

    it('shows no records of another issuer', async () => {
      const other = { ...record, issuer: 'https://b.example' }
      for (const [written, seen] of [
        [record, true],
        [other, false],
        [{ id: 'r' }, true],
      ] as const) {
        const { find, poll, findGrant } = store({
          find: async () => written,
          poll: async () => ({ record: written, early: false }),
          findGrant: async () => written,
        })
        expect((await find('r')) !== undefined).to.equal(seen)
        expect((await poll('r', anything({}), 0)) !== undefined).to.equal(seen)
        expect((await findGrant('r')) !== undefined).to.equal(seen)
      }
    })

    it('writes whose a record is', async () => {
      let written: unknown
      const add = async (record: unknown) => {
        written = record
      }
      await store({ add }).add(anything({ id: 'r' }))
      expect(written).to.deep.equal(record)
    })

    it('is out of reach when a verb throws or never answers', async () => {
      await expectOutage(() => store({ find: breaks }).find('r'), 'store')
      await expectOutage(() => store({ seen: never }).seen('k'), 'store')
    })

    it('has the optional verbs that the host has', async () => {
      expect(store({})).not.to.have.any.keys('release', 'subscribe')
      const bus = { publish: () => Promise.reject(broken), close: async () => {} }
      const { release, subscribe } = store({ release: never, subscribe: () => bus })
      await expectOutage(() => release?.('r', 0), 'store')
      await expectOutage(() => subscribe?.(anything({})).publish('r'), 'store')
    })
  })

  describe('the queue', () => {
    it('is out of reach when it throws or never answers', async () => {
      const queue = guardQueue(anything<DeliveryQueue>({ add: never, wake: breaks }), guardWith(undefined, 5))
      await expectOutage(() => queue.add(anything({})), 'queue')
      await expectOutage(() => queue.wake(anything({})), 'queue')
    })

    it('may start later, and tells when it cannot', async () => {
      const told: unknown[] = []
      guardQueue(anything({ start: () => Promise.reject(broken) }), guardWith()).start(anything(never), (cause) => {
        told.push(cause)
      })
      await new Promise(setImmediate)
      expect(told).to.deep.equal([broken])
    })
  })

  describe('channels', () => {
    const guarded = (members: object) => {
      const [channel] = guardChannels([anything<Channel>({ name: 'sms', ...members })], guardWith(), (event) =>
        events.push(event),
      )
      if (channel === undefined) throw new Error('no channel')
      return channel
    }

    it('have the optional members that the host has', () => {
      expect(Object.keys(guarded({}))).to.have.members(['name', 'address', 'send'])
      expect(guarded({ standsIn: true, returnsLink: true })).to.include({ standsIn: true, returnsLink: true })
    })

    it('have an address, or none', async () => {
      const address = (to: unknown) => guarded({ address: () => to }).address({ sub: 'alice' })
      expect(address('+49')).to.equal('+49')
      for (const none of [undefined, null, '']) expect(address(none)).to.equal(undefined)
      for (const wrong of [49, Promise.resolve('+49'), Promise.reject(broken)]) {
        await expectMistake(() => address(wrong), 'option "channels.sms.address"')
      }
      await expectOutage(() => guarded({ address: breaks }).address({ sub: 'alice' }), 'channels')
    })

    it('say how they failed by a ChannelError; all else is an outage', async () => {
      const failure = new ChannelError('blocked', 'no')
      const send = (step: () => unknown) => guarded({ send: step }).send(notice)
      expect(await thrownBy(() => send(() => Promise.reject(failure)))).to.equal(failure)
      expect(events).to.deep.equal([])
      await expectOutage(() => send(breaks), 'channels')
    })

    it('tell the id of a message, or nothing', async () => {
      const send = (sent: unknown) => guarded({ send: () => sent }).send(notice)
      expect(await send({ messageId: 'SM1', status: 200 })).to.deep.equal({ messageId: 'SM1' })
      for (const none of [undefined, null, {}, { messageId: null }]) expect(await send(none)).to.deep.equal({})
      // it has been sent: an error would send it once more
      expect(await send({ messageId: 7 })).to.deep.equal({})
      const [fault] = events.splice(0) as { type: 'fault'; cause: Error }[]
      expect(fault?.cause.message).to.include('option "channels.sms.send" returned a messageId')
    })

    it('read reports at once', async () => {
      const read = (status: unknown) => guarded({ readStatus: () => status }).readStatus?.(anything({}))
      expect(read({ failure: 'blocked', messageId: null })).to.deep.equal({ failure: 'blocked' })
      expect(read(null)).to.equal(undefined)
      await expectMistake(() => read({ failure: 'lost' }), 'option "channels.sms.readStatus"', '"failure"')
      await expectMistake(() => read(Promise.resolve({})), 'must answer at once')
    })

    it('are verified as they say it themselves, for the doctor', async () => {
      expect(await thrownBy(() => guarded({ verify: breaks }).verify?.())).to.equal(broken)
      expect(events).to.deep.equal([])
    })
  })

  describe('hooks around asking', () => {
    const hooks = (options: object) =>
      guardAskHooks(anything<AskHookOptions>(options), guardWith(undefined, 5), (event) => events.push(event))

    it('name channels', async () => {
      const channelsFor = (names: unknown) => hooks({ notices: { channelsFor: () => names } }).channelsFor?.(client)
      expect(channelsFor(['sms'])).to.deep.equal(['sms'])
      expect(channelsFor(null)).to.equal(undefined)
      expect(hooks({}).channelsFor).to.equal(undefined)
      for (const wrong of ['sms', [7], Promise.resolve(['sms'])]) {
        await expectMistake(() => channelsFor(wrong), 'option "notices.channelsFor"')
      }
    })

    it('judge binding messages', async () => {
      const judge = (verdict: unknown) => hooks({ requests: { bindingMessage: () => verdict } }).bindingMessage?.('W4')
      expect(judge('is rude')).to.equal('is rude')
      expect(judge(null)).to.equal(undefined)
      for (const wrong of [true, Promise.resolve('is rude')]) {
        await expectMistake(() => judge(wrong), 'option "requests.bindingMessage"')
      }
      expect(hooks({ requests: { bindingMessage: 'ascii' } }).bindingMessage).to.equal(undefined)
    })

    it('compare authorization details by truth, and not by a promise', async () => {
      const schema = { safeParse: (data: unknown) => ({ success: true, data }) }
      const isWithin = (answer: unknown) =>
        hooks({ requests: { authorizationDetails: { pay: { schema, isWithin: () => answer } } } })
          .detailTypes.get('pay')
          ?.isWithin?.({ granted: { type: 'pay' }, asked: { type: 'pay' } })
      expect([isWithin(1), isWithin(0), isWithin(undefined)]).to.deep.equal([true, false, false])
      await expectMistake(() => isWithin(Promise.resolve(false)), 'option "requests.authorizationDetails"')
      const plain = hooks({ requests: { authorizationDetails: { pay: schema } } }).detailTypes.get('pay')
      expect(plain?.schema.safeParse(1)).to.deep.equal({ success: true, data: 1 })
      expect(plain).not.to.have.property('isWithin')
    })

    it('tell a place, and the page does without when they cannot', async () => {
      const place = (step: () => unknown) =>
        hooks({ page: { place: step } }).place({ clientId: 'till', request: 'r', context: {} })
      expect(await place(() => 'Lyon')).to.equal('Lyon')
      for (const step of [() => null, () => '', never, breaks, () => 7]) expect(await place(step)).to.equal(undefined)
      expect(events.map(({ type }) => type)).to.deep.equal(['outage', 'outage', 'fault'])
    })

    it('write whole cards of details, and pages', async () => {
      const card = (value: unknown) => hooks({ page: { details: { pay: () => value } } }).details.pay?.(anything({}))
      expect(card({ title: 'Payment', rows: [['Amount', 5]] })).to.deep.equal({
        title: 'Payment',
        rows: [['Amount', '5']],
      })
      for (const wrong of [undefined, { title: 'Payment' }, { title: 'Payment', rows: [['Amount', undefined]] }]) {
        await expectMistake(() => card(wrong), 'option "page.details.pay"')
      }
      await expectMistake(() => hooks({ page: { template: never } }).template?.(anything({})), 'option "page.template"')
      await expectOutage(() => hooks({ page: { template: breaks } }).template?.(anything({})), 'page')
    })

    it('that are told of answers and of lost deliveries disturb nothing', async () => {
      for (const hook of [breaks, () => Promise.reject(broken)]) {
        const { onAnswer, onUndelivered } = hooks({ onAnswer: hook, delivery: { onUndelivered: hook } })
        onAnswer('r', anything({}))
        await onUndelivered(anything({}))
      }
      await new Promise(setImmediate)
      expect(events.map(({ type }) => type)).to.deep.equal(['fault', 'fault', 'fault', 'fault'])
    })
  })

  describe('token hooks', () => {
    const hooks = (options: object, resources?: unknown) =>
      guardTokenHooks(anything<TokenOptions>(options), anything<Resources>(resources), guardWith())

    it('issue tokens of the right shape', async () => {
      const issue = (tokens: unknown) => hooks({ issue: () => tokens }).issue?.(grant)
      expect(await issue({ access_token: 'a', expires_in: null, id_token: null, extra: 1 })).to.deep.equal({
        access_token: 'a',
        extra: 1,
      })
      for (const [name, value] of Object.entries({
        access_token: '',
        expires_in: '600',
        token_type: 'MAC',
        scope: 7,
      })) {
        await expectMistake(
          () => issue({ access_token: 'a', [name]: value }),
          `option "tokens.issue" returned tokens with a wrong "${name}"`,
        )
      }
      await expectMistake(() => issue(undefined), 'option "tokens.issue" returned what is not tokens')
      expect(hooks({}).issue).to.equal(undefined)
    })

    it('make access tokens, or leave it to us', async () => {
      const make = (token: unknown) => hooks({ accessToken: () => token }).accessToken(grant)
      expect(await make('opaque')).to.equal('opaque')
      for (const none of [undefined, null]) expect(await make(none)).to.equal(undefined)
      for (const wrong of ['', 7]) await expectMistake(() => make(wrong), 'option "tokens.accessToken"')
      expect(await hooks({}).accessToken(grant)).to.equal(undefined)
    })

    it('say yes by truth', async () => {
      const answers = (answer: unknown) => {
        const host = hooks({ issueRefreshToken: () => answer, mayIntrospect: () => answer })
        return Promise.all([host.issueRefreshToken?.(grant), host.mayIntrospect?.(client, { active: true })])
      }
      expect(await answers(1)).to.deep.equal([true, true])
      expect(await answers(null)).to.deep.equal([false, false])
    })

    it('know resources, from a table or a function', async () => {
      const uri = 'https://api.example'
      expect(await hooks({}, { [uri]: { scopes: null } }).resource(uri, client)).to.deep.equal({})
      expect(await hooks({}, {}).resource('constructor', client)).to.equal(undefined)
      expect(await hooks({}, async () => ({ scopes: ['pay'] })).resource(uri, client)).to.deep.equal({
        scopes: ['pay'],
      })
      expect(await hooks({}, () => null).resource(uri, client)).to.equal(undefined)
      await expectMistake(() => hooks({}, () => true).resource(uri, client), 'option "requests.resources"')
    })

    it('say how long tokens live', async () => {
      const seconds = (idTokenSeconds: unknown) =>
        hooks({ lifetimes: { idTokenSeconds } }).lifetimeSeconds('idToken', client)
      expect([seconds(60), seconds(() => 61), seconds(() => null), seconds(undefined)]).to.deep.equal([
        60, 61, 3600, 3600,
      ])
      expect(hooks({}).lifetimeSeconds('refreshToken', client)).to.equal(2_592_000)
      for (const wrong of [() => 0, () => 1.5, () => '60', async () => 60]) {
        await expectMistake(() => seconds(wrong), 'option "tokens.lifetimes.idTokenSeconds"')
      }
    })
  })
})
