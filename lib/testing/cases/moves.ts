import type { Approval } from '../../contracts/request.ts'
import { hashOf, newHandle } from '../../core/crypto/handles.ts'
import { equal } from '../check.ts'
import { addedRecord, pollerOf, requestRecord } from '../records.ts'
import type { Cases } from './case.ts'

export const moveCases: Cases = {
  'a move changes the status and what it says': async ({ store }) => {
    const record = await addedRecord(store)
    const answer = { result: 'denied', at: record.receivedAt + 1, reason: 'user' } as const
    const move = { from: 'pending', to: 'denied', changes: { answer }, now: record.receivedAt + 1 } as const
    equal(await store.move(record.id, move), { moved: true, record: { ...record, status: 'denied', answer } })
    equal(await store.find(record.id), { ...record, status: 'denied', answer })
    equal((await store.move(record.id, move))?.moved, false)
  },

  'a move keeps what polls wrote': async ({ store }) => {
    const record = await addedRecord(store)
    await store.poll(record.id, pollerOf(record), record.receivedAt)
    await store.poll(record.id, pollerOf(record), record.receivedAt + 1)
    const moved = await store.move(record.id, { from: 'pending', to: 'denied', now: record.receivedAt + 2 })
    equal([moved?.record.intervalSeconds, moved?.record.slowDowns], [10, 1])
  },

  'an answer comes back as it was given': async ({ store }) => {
    const record = await addedRecord(store)
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
  },

  'a received request becomes pending, under the auth_req_id it is then given': async ({ store }) => {
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
  },

  'a move may change a record and leave its status': async ({ store }) => {
    const record = await addedRecord(store)
    const now = record.receivedAt + 1
    await store.move(record.id, { from: 'pending', to: 'approved', now })
    const changes = { sealedDelivery: 'sealed' }
    equal((await store.move(record.id, { from: 'approved', to: 'approved', changes, now }))?.moved, true)
    equal((await store.move(record.id, { from: 'approved', to: 'delivered', now }))?.moved, true)
    equal(await store.find(record.id), { ...record, ...changes, status: 'delivered' })
  },

  'a move from another status, or after the end, is refused and answers the record as it is': async ({ store }) => {
    const record = await addedRecord(store)
    const early = { from: 'approved', to: 'redeemed', now: record.receivedAt } as const
    equal(await store.move(record.id, early), { moved: false, record })
    const late = { from: 'pending', to: 'denied', now: record.expiresAt } as const
    equal(await store.move(record.id, late), { moved: false, record })
    equal(await store.find(record.id), record)
  },

  'a redemption whose tokens could not be made is taken back, and won anew by one': async ({ store, race }) => {
    const record = await addedRecord(store)
    const now = record.receivedAt + 1
    await store.move(record.id, { from: 'pending', to: 'approved', now })
    await store.move(record.id, { from: 'approved', to: 'redeemed', now })
    equal((await store.move(record.id, { from: 'redeemed', to: 'approved', now }))?.moved, true)
    const again = await race(() => store.move(record.id, { from: 'approved', to: 'redeemed', now }))
    equal(again.filter((each) => each?.moved).length, 1)
  },

  'a request comes back to a status it has left, as with a push that was given up, and loses what was sealed': async ({
    store,
    race,
  }) => {
    const record = await addedRecord(store)
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

  'of racing moves one is carried out': async ({ store, race }) => {
    const record = await addedRecord(store)
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
  },

  'of racing redemptions one is carried out, while others poll': async ({ store, race }) => {
    const record = await addedRecord(store)
    const now = record.receivedAt + 1
    await store.move(record.id, { from: 'pending', to: 'approved', now })
    const results = await race(async (n) => {
      if (n % 2 === 0) await store.poll(record.id, pollerOf(record), now + n)
      return store.move(record.id, { from: 'approved', to: 'redeemed', now })
    })
    equal(results.filter((each) => each?.moved).length, 1)
  },
}
