import type { BackchannelStore } from '../contracts/contracts.ts'
import { hashOf, newHandle, newId } from '../core/crypto/vault.ts'
import type { Approval, GrantRecord, RequestRecord } from '../core/request.ts'

/** One promise of the contract, to be run by any test runner: `it(name, run)`. */
export interface ContractCase {
  readonly name: string
  run(): Promise<void>
}

export interface ContractOptions {
  /** An empty store, or one that shares a backend with the others: every case uses records of its own. */
  open(): Promise<BackchannelStore> | BackchannelStore
  /** Makes the backend unreachable, and reachable again with what it held, to see that an outage is no "not found". */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> }
  /** How many callers race. Defaults to 50. */
  readonly racers?: number
}

/** Everything that `BackchannelStore` promises, as cases. Run them against your own adapter. */
export function storeContract({ open, outage, racers = 50 }: ContractOptions): readonly ContractCase[] {
  const cases: ContractCase[] = []
  const promise = (name: string, run: (store: BackchannelStore) => Promise<void>) => {
    cases.push({
      name,
      async run() {
        const store = await open()
        try {
          await run(store)
        } finally {
          await store.close?.()
        }
      },
    })
  }
  const race = <T>(step: (n: number) => Promise<T>) => Promise.all(Array.from({ length: racers }, (_, n) => step(n)))

  promise('a record is found as it was added', async (store) => {
    const record = requestRecord({
      details: {
        scope: ['openid'],
        bindingMessage: 'Ж字 "quoted" \\ 🙂',
        requestContext: { a: [1, null, { b: true }], '\u0000': '\u0000\ud800' },
      },
    })
    equal(await store.add(record), 'added')
    equal(await store.find(record.id), record)
  })

  promise('a record is forgotten from its keptUntil on', async (store) => {
    const record = requestRecord({ keptUntil: Date.now() + 300 })
    await store.add(record)
    equal(await store.find(record.id), record)
    await later(400)
    equal(await store.find(record.id), undefined)
  })

  promise('what was never added is not there', async (store) => {
    const id = newId()
    equal(await store.find(id), undefined)
    equal(await store.poll(id, { clientId: 'client', authReqIdHash: 'hash' }, Date.now()), undefined)
    equal(await store.move(id, { from: 'pending', to: 'denied', now: Date.now() }), undefined)
    equal(await store.findGrant(id), undefined)
    equal(await store.rotate(id, rotation('a', 'b')), undefined)
  })

  promise('a poll stamps the record', async (store) => {
    const record = await added(store)
    const now = record.receivedAt + 1
    const polled = await store.poll(record.id, pollerOf(record), now)
    equal(polled?.early, false)
    equal(polled?.record.lastPollAt, now)
    equal((await store.find(record.id))?.lastPollAt, now)
  })

  promise('an early poll lengthens the interval by 5 seconds, and the new one counts', async (store) => {
    const record = await added(store)
    const at = (seconds: number) => store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000)
    await at(0)
    const early = await at(1)
    equal([early?.early, early?.record.intervalSeconds, early?.record.slowDowns], [true, 10, 1])
    equal((await at(7))?.record.intervalSeconds, 15)
    equal((await at(23))?.early, false)
    equal((await at(39))?.early, false)
  })

  promise('the interval stops growing at 60 seconds, and a flood stops writing', async (store) => {
    const record = await added(store)
    for (let n = 0; n < 20; n++) await store.poll(record.id, pollerOf(record), record.receivedAt + n)
    const stored = await store.find(record.id)
    equal(stored?.intervalSeconds, 60)
    await store.poll(record.id, pollerOf(record), record.receivedAt + 100)
    equal(await store.find(record.id), stored)
  })

  promise('of racing polls one is in time', async (store) => {
    const record = await added(store)
    const polls = await race(() => store.poll(record.id, pollerOf(record), record.receivedAt + 1))
    equal(polls.filter((each) => each?.early === false).length, 1)
    const stored = await store.find(record.id)
    equal([stored?.intervalSeconds, stored?.slowDowns], [60, 11])
  })

  promise('while a poll is held every other one is early, and the hold gets no longer by them', async (store) => {
    const record = await added(store)
    const at = (seconds: number, holdMs: number) =>
      store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000, holdMs)
    const earlyAt = async (seconds: number) => (await at(seconds, 20_000))?.early
    equal(await inTurn([0, 6, 20, 39], earlyAt), [false, true, false, true])
    equal((await store.find(record.id))?.intervalSeconds, 15)
  })

  promise('a hold shorter than the interval changes nothing', async (store) => {
    const record = await added(store)
    const at = (seconds: number) => store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000, 2_000)
    equal(await inTurn([0, 5, 9], async (each) => (await at(each))?.early), [false, false, true])
  })

  promise('a clock that is set back costs one slow_down', async (store) => {
    const record = await added(store)
    const at = (seconds: number) => store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000)
    equal(await inTurn([300, 0, 10], async (each) => (await at(each))?.early), [false, true, false])
  })

  promise('a held poll that ends before its time counts from when it came', async (store) => {
    if (store.release === undefined) return
    const record = await added(store)
    const poll = (now: number) => store.poll(record.id, pollerOf(record), now, 20_000)
    await poll(record.receivedAt)
    await store.release(record.id, record.receivedAt)
    equal((await store.find(record.id))?.lastPollAt, record.receivedAt)
    equal((await poll(record.receivedAt + 5_000))?.early, false)
    await store.move(record.id, { from: 'pending', to: 'denied', now: record.receivedAt + 6_000 })
    const answered = await store.find(record.id)
    await store.release(record.id, record.receivedAt + 5_000)
    await store.release(newId(), record.receivedAt)
    equal(await store.find(record.id), answered)
  })

  promise('whoever listens hears what is told, also by another process', async (store) => {
    if (store.listen === undefined) return
    const other = await open()
    try {
      const ears = await Promise.all([listening(store), listening(store), listening(other)])
      const [first, second] = [newId(), newId()]
      await ears[0]?.line.tell(first)
      await until(() => ears.every(({ heard }) => heard.includes(first)))
      await ears[0]?.line.close()
      await ears[2]?.line.tell(second)
      await until(() => ears.slice(1).every(({ heard }) => heard.includes(second)))
      equal(ears[0]?.heard.includes(second), false)
      for (const { line } of ears.slice(1)) await line.close()
    } finally {
      await other.close?.()
    }
  })

  promise('a poll by another client, or with another auth_req_id, sees and changes nothing', async (store) => {
    const record = await added(store)
    const now = record.receivedAt + 1
    equal(await store.poll(record.id, { ...pollerOf(record), clientId: 'other' }, now), undefined)
    equal(await store.poll(record.id, { ...pollerOf(record), authReqIdHash: hashOf('other') }, now), undefined)
    equal(await store.find(record.id), record)
  })

  promise('a poll of an answered or expired record changes nothing', async (store) => {
    const expired = await added(store)
    equal((await store.poll(expired.id, pollerOf(expired), expired.expiresAt))?.early, false)
    equal(await store.find(expired.id), expired)
    const denied = await added(store)
    await store.move(denied.id, { from: 'pending', to: 'denied', now: denied.receivedAt + 1 })
    const polled = await store.poll(denied.id, pollerOf(denied), denied.receivedAt + 2)
    equal([polled?.record.status, polled?.early, polled?.record.lastPollAt], ['denied', false, undefined])
  })

  promise('a move changes the status and what it says', async (store) => {
    const record = await added(store)
    const answer = { result: 'denied', at: record.receivedAt + 1, reason: 'user' } as const
    const move = { from: 'pending', to: 'denied', changes: { answer }, now: record.receivedAt + 1 } as const
    equal(await store.move(record.id, move), { moved: true, record: { ...record, status: 'denied', answer } })
    equal(await store.find(record.id), { ...record, status: 'denied', answer })
    equal((await store.move(record.id, move))?.moved, false)
  })

  promise('a move keeps what polls wrote', async (store) => {
    const record = await added(store)
    await store.poll(record.id, pollerOf(record), record.receivedAt)
    await store.poll(record.id, pollerOf(record), record.receivedAt + 1)
    const moved = await store.move(record.id, { from: 'pending', to: 'denied', now: record.receivedAt + 2 })
    equal([moved?.record.intervalSeconds, moved?.record.slowDowns], [10, 1])
  })

  promise('an answer comes back as it was given', async (store) => {
    const record = await added(store)
    const answer: Approval = {
      result: 'approved',
      at: record.receivedAt + 1,
      sub: 'ж "quoted" {tag}',
      authTime: 1_700_000_000,
      scope: [],
      tokens: { claims: { none: [], empty: {}, nothing: null, large: 2 ** 53, small: 1e-7, deep: [[{ '🙂': '\n' }]] } },
    }
    const now = record.receivedAt + 1
    await store.move(record.id, { from: 'pending', to: 'approved', changes: { answer }, now })
    equal((await store.find(record.id))?.answer, answer)
  })

  promise('a received request becomes pending, under the auth_req_id it is then given', async (store) => {
    const { authReqIdHash, ...ticket } = requestRecord({ status: 'received' })
    await store.add(ticket)
    const poller = { clientId: ticket.clientId, authReqIdHash: hashOf(newHandle(ticket.id)) }
    const now = ticket.receivedAt + 1
    equal(await store.poll(ticket.id, poller, now), undefined)
    const changes = { authReqIdHash: poller.authReqIdHash, expiresAt: now + 700_000, keptUntil: now + 800_000 }
    await store.move(ticket.id, { from: 'received', to: 'pending', changes, now })
    equal(await store.find(ticket.id), { ...ticket, ...changes, status: 'pending' })
    equal((await store.poll(ticket.id, poller, now))?.record.status, 'pending')
    equal((await store.move(ticket.id, { from: 'pending', to: 'denied', now: ticket.expiresAt }))?.moved, true)
  })

  promise('a move may change a record and leave its status', async (store) => {
    const record = await added(store)
    const now = record.receivedAt + 1
    await store.move(record.id, { from: 'pending', to: 'approved', now })
    const changes = { sealedDelivery: 'sealed' }
    equal((await store.move(record.id, { from: 'approved', to: 'approved', changes, now }))?.moved, true)
    equal((await store.move(record.id, { from: 'approved', to: 'delivered', now }))?.moved, true)
    equal(await store.find(record.id), { ...record, ...changes, status: 'delivered' })
  })

  promise('a move from another status, or after the end, is refused and says how things stand', async (store) => {
    const record = await added(store)
    equal(await store.move(record.id, { from: 'approved', to: 'redeemed', now: record.receivedAt }), {
      moved: false,
      record,
    })
    equal(await store.move(record.id, { from: 'pending', to: 'denied', now: record.expiresAt }), {
      moved: false,
      record,
    })
    equal(await store.find(record.id), record)
  })

  promise('a redemption whose tokens could not be made is taken back, and won anew by one', async (store) => {
    const record = await added(store)
    const now = record.receivedAt + 1
    await store.move(record.id, { from: 'pending', to: 'approved', now })
    await store.move(record.id, { from: 'approved', to: 'redeemed', now })
    equal((await store.move(record.id, { from: 'redeemed', to: 'approved', now }))?.moved, true)
    const again = await race(() => store.move(record.id, { from: 'approved', to: 'redeemed', now }))
    equal(again.filter((each) => each?.moved).length, 1)
  })

  promise(
    'a request comes back to a status it has left, as a push does that was given up, and loses what was sealed',
    async (store) => {
      const record = await added(store)
      const now = record.receivedAt + 1
      await store.move(record.id, { from: 'pending', to: 'approved', now })
      for (const sealedDelivery of ['first', 'second']) {
        const taken = await race(() =>
          store.move(record.id, { from: 'approved', to: 'delivering', changes: { sealedDelivery }, now }),
        )
        equal(taken.filter((each) => each?.moved).length, 1)
        equal((await store.find(record.id))?.sealedDelivery, sealedDelivery)
        await store.move(record.id, { from: 'delivering', to: 'approved', changes: { sealedDelivery: '' }, now })
        equal((await store.find(record.id))?.sealedDelivery, '')
      }
      equal((await store.find(record.id))?.status, 'approved')
    },
  )

  promise('of racing moves one is carried out', async (store) => {
    const record = await added(store)
    const results = await race((n) =>
      store.move(record.id, { from: 'pending', to: n % 2 === 0 ? 'denied' : 'failed', now: record.receivedAt + 1 }),
    )
    equal(results.filter((each) => each?.moved).length, 1)
    const winner = results.find((each) => each?.moved)?.record.status
    equal(
      results.map((each) => each?.record.status),
      results.map(() => winner),
    )
    equal((await store.find(record.id))?.status, winner)
  })

  promise('polls that race an answer do not undo it', async (store) => {
    const record = await added(store)
    const now = record.receivedAt + 1
    const polls = race((n) => store.poll(record.id, pollerOf(record), now + n))
    await store.move(record.id, { from: 'pending', to: 'denied', now })
    await polls
    equal((await store.find(record.id))?.status, 'denied')
  })

  promise('of racing redemptions one is carried out, while others poll', async (store) => {
    const record = await added(store)
    const now = record.receivedAt + 1
    await store.move(record.id, { from: 'pending', to: 'approved', now })
    const results = await race(async (n) => {
      if (n % 2 === 0) await store.poll(record.id, pollerOf(record), now + n)
      return store.move(record.id, { from: 'approved', to: 'redeemed', now })
    })
    equal(results.filter((each) => each?.moved).length, 1)
  })

  promise('a key is new once, until its time', async (store) => {
    const key = `contract:${newId()}`
    const seen = await race(() => store.firstSeen(key, Date.now() + 60_000))
    equal(seen.filter(Boolean).length, 1)
    equal(await store.firstSeen(`${key}:other`, Date.now() + 60_000), true)
    equal([await store.seen(key), await store.seen(`${key}:third`)], [true, false])
    equal(await store.firstSeen(`${key}:third`, Date.now() + 60_000), true)
    const short = `contract:${newId()}`
    equal(await store.firstSeen(short, Date.now() + 300), true)
    await later(400)
    equal(await store.seen(short), false)
    equal(await store.firstSeen(short, Date.now() + 300), true)
  })

  promise('a user has no more open requests than the limit, however many race', async (store) => {
    const sub = newId()
    const results = await race(() => store.add(requestRecord({ sub }), 3))
    equal(results.filter((each) => each === 'added').length, 3)
  })

  promise('requests count as open whether or not they were added with a limit', async (store) => {
    const sub = `user {${newId()}} ж:*`
    equal(await store.add(requestRecord({ sub })), 'added')
    equal(await store.add(requestRecord({ sub }), 1), 'too_many_open')
    const { sub: _, ...nobody } = requestRecord()
    equal(await store.add(nobody, 1), 'added')
  })

  promise('an answered request is not open any more, nor is an expired one', async (store) => {
    const sub = newId()
    const first = requestRecord({ sub })
    equal(await store.add(first, 1), 'added')
    const refused = requestRecord({ sub })
    equal(await store.add(refused, 1), 'too_many_open')
    equal(await store.find(refused.id), undefined)
    await store.move(first.id, { from: 'pending', to: 'denied', now: first.receivedAt + 1 })
    const second = requestRecord({ sub })
    equal(await store.add(second, 1), 'added')
    equal(await store.add(requestRecord({ sub, receivedAt: second.expiresAt }), 1), 'added')
  })

  promise(
    'a refresh token rotates, is forgiven once in its grace, and ends its family when it is reused',
    async (store) => {
      const grant = grantRecord()
      await store.addGrant(grant)
      equal(await store.findGrant(grant.id), grant)
      equal(await store.rotate(grant.id, rotation(grant.tokenHash, 'second')), 'rotated')
      equal(await store.rotate(grant.id, rotation(grant.tokenHash, 'third')), 'repeated')
      equal((await store.findGrant(grant.id))?.tokenHash, 'third')
      equal(await store.rotate(grant.id, rotation('second', 'fourth')), 'reused')
      equal(await store.findGrant(grant.id), undefined)
    },
  )

  promise('a refresh token is not forgiven after its grace', async (store) => {
    const grant = grantRecord()
    await store.addGrant(grant)
    const first = rotation(grant.tokenHash, 'second')
    equal(await store.rotate(grant.id, first), 'rotated')
    equal(await store.rotate(grant.id, { ...first, now: first.previousUntil }), 'reused')
    equal(await store.rotate(grant.id, rotation('second', 'third')), undefined)
  })

  promise('a grant ends at its time, which a rotation moves', async (store) => {
    const grant = { ...grantRecord(), expiresAt: Date.now() + 300 }
    const moved = { ...grantRecord(), expiresAt: Date.now() + 300 }
    await Promise.all([store.addGrant(grant), store.addGrant(moved)])
    equal(await store.rotate(grant.id, { ...rotation(grant.tokenHash, 'late'), now: grant.expiresAt }), undefined)
    equal(await store.rotate(moved.id, rotation(moved.tokenHash, 'next')), 'rotated')
    await later(400)
    equal(await store.findGrant(grant.id), undefined)
    equal((await store.findGrant(moved.id))?.tokenHash, 'next')
  })

  promise('of racing rotations one is the first', async (store) => {
    const grant = grantRecord()
    await store.addGrant(grant)
    const results = await race((n) =>
      store.rotate(grant.id, { ...rotation(grant.tokenHash, `next-${n}`), previousUntil: 0 }),
    )
    equal(results.filter((each) => each === 'rotated').length, 1)
  })

  promise('a grant can be ended', async (store) => {
    const grant = grantRecord()
    await store.addGrant(grant)
    await store.endGrant(grant.id)
    await store.endGrant(grant.id)
    equal(await store.findGrant(grant.id), undefined)
  })

  promise('a grant that is ended stays ended, whatever is rotating it at that moment', async (store) => {
    for (let round = 0; round < 20; round++) {
      const grant = grantRecord()
      await store.addGrant(grant)
      const rotating = store.rotate(grant.id, rotation(grant.tokenHash, 'second'))
      for (let turns = 0; turns < round; turns++) await Promise.resolve()
      await Promise.all([store.endGrant(grant.id), rotating])
      equal(await store.findGrant(grant.id), undefined)
    }
  })

  if (outage !== undefined) {
    promise('whoever listens goes on after an outage', async (store) => {
      if (store.listen === undefined) return
      const ear = await listening(store)
      await outage.begin()
      try {
        await until(() => !ear.isUp())
      } finally {
        await outage.end()
      }
      await until(ear.isUp)
      const request = newId()
      await ear.line.tell(request)
      await until(() => ear.heard.includes(request))
      await ear.line.close()
    })

    promise('an outage rejects, and nothing is lost by it', async (store) => {
      const record = await added(store)
      await outage.begin()
      try {
        const verbs: [string, () => Promise<unknown>][] = [
          ['find', () => store.find(record.id)],
          ['poll', () => store.poll(record.id, pollerOf(record), record.receivedAt + 1)],
          ['move', () => store.move(record.id, { from: 'pending', to: 'denied', now: record.receivedAt + 1 })],
          ['add', () => store.add(requestRecord())],
          ['firstSeen', () => store.firstSeen(newId(), Date.now() + 1000)],
          ['seen', () => store.seen(newId())],
          ['addGrant', () => store.addGrant(grantRecord())],
          ['findGrant', () => store.findGrant(newId())],
          ['rotate', () => store.rotate(newId(), rotation('a', 'b'))],
          ['endGrant', () => store.endGrant(newId())],
        ]
        const outcomes = await Promise.allSettled(verbs.map(([, run]) => run()))
        equal(
          outcomes.map(({ status }, n) => [verbs[n]?.[0], status]),
          verbs.map(([verb]) => [verb, 'rejected']),
        )
      } finally {
        await outage.end()
      }
      equal((await store.find(record.id))?.status, 'pending')
      const settled = await store.move(record.id, { from: 'pending', to: 'denied', now: record.receivedAt + 1 })
      equal(settled?.moved, true)
    })
  }

  return cases
}

/** A pending record as the engine makes them. */
export function requestRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  const id = newId()
  const receivedAt = changes.receivedAt ?? Date.now()
  return {
    id,
    status: 'pending',
    clientId: 'client',
    deliveryMode: 'poll',
    sub: `user-${id}`,
    authReqIdHash: hashOf(newHandle(id)),
    linkHash: hashOf(newHandle(id)),
    receivedAt,
    expiresAt: receivedAt + 600_000,
    keptUntil: receivedAt + 720_000,
    intervalSeconds: 5,
    slowDowns: 0,
    details: { scope: ['openid'] },
    ...changes,
  }
}

async function added(store: BackchannelStore): Promise<RequestRecord> {
  const record = requestRecord()
  await store.add(record)
  return record
}

function pollerOf({ clientId, authReqIdHash = '' }: RequestRecord) {
  return { clientId, authReqIdHash }
}

/** A refresh token family as the engine makes them. */
export function grantRecord(): GrantRecord {
  const id = newId()
  const now = Date.now()
  return {
    id,
    clientId: 'client',
    sub: 'user',
    request: newId(),
    tokenHash: hashOf(newHandle(id)),
    issuedAt: now,
    expiresAt: now + 600_000,
    details: { scope: ['openid'] },
    approval: { result: 'approved', at: now, sub: 'user', scope: ['openid'] },
  }
}

function rotation(from: string, to: string) {
  const now = Date.now()
  return { from, to, expiresAt: now + 600_000, previousUntil: now + 10_000, now }
}

/** Listens, and notes what it hears. */
async function listening(store: BackchannelStore) {
  const heard: string[] = []
  let isUp = false
  const line = (store.listen as NonNullable<BackchannelStore['listen']>)({
    heard: (request) => void heard.push(request),
    up: () => {
      isUp = true
    },
    down: () => {
      isUp = false
    },
  })
  await until(() => isUp)
  return { line, heard, isUp: () => isUp }
}

async function inTurn<T, R>(all: readonly T[], step: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const each of all) results.push(await step(each))
  return results
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (condition()) return
    await later(10)
  }
  throw new Error(`never happened: ${condition}`)
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Compares as JSON does, whatever the order of members. */
function equal(actual: unknown, wanted: unknown): void {
  const [a, b] = [canonical(actual), canonical(wanted)]
  if (a !== b) throw new Error(`expected ${b}, got ${a}`)
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_name, each: unknown) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
        : each,
    ) ?? 'undefined'
  )
}
