import { hashOf, newId } from '../../core/crypto/handles.ts'
import { equal, inTurn } from '../check.ts'
import { addedRecord, pollerOf } from '../records.ts'
import type { Cases } from './case.ts'

export const pollCases: Cases = {
  'a poll stamps the record': async ({ store }) => {
    const record = await addedRecord(store)
    const now = record.receivedAt + 1
    const polled = await store.poll(record.id, pollerOf(record), now)
    equal(polled?.early, false)
    equal(polled?.record.lastPollAt, now)
    equal((await store.find(record.id))?.lastPollAt, now)
  },

  'an early poll lengthens the interval by 5 seconds, and the new one counts': async ({ store }) => {
    const record = await addedRecord(store)
    const at = (seconds: number) => store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000)
    await at(0)
    const early = await at(1)
    equal([early?.early, early?.record.intervalSeconds, early?.record.slowDowns], [true, 10, 1])
    equal((await at(7))?.record.intervalSeconds, 15)
    equal((await at(23))?.early, false)
    equal((await at(39))?.early, false)
  },

  'the interval stops growing at 60 seconds, and many early polls stop writing': async ({ store }) => {
    const record = await addedRecord(store)
    for (let n = 0; n < 20; n++) await store.poll(record.id, pollerOf(record), record.receivedAt + n)
    const stored = await store.find(record.id)
    equal(stored?.intervalSeconds, 60)
    await store.poll(record.id, pollerOf(record), record.receivedAt + 100)
    equal(await store.find(record.id), stored)
  },

  'of racing polls one is in time': async ({ store, race }) => {
    const record = await addedRecord(store)
    const polls = await race(() => store.poll(record.id, pollerOf(record), record.receivedAt + 1))
    equal(polls.filter((each) => each?.early === false).length, 1)
    const stored = await store.find(record.id)
    equal([stored?.intervalSeconds, stored?.slowDowns], [60, 11])
  },

  'while a poll is held every other one is early, and the hold gets no longer by them': async ({ store }) => {
    const record = await addedRecord(store)
    const at = (seconds: number, holdMs: number) =>
      store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000, holdMs)
    const earlyAt = async (seconds: number) => (await at(seconds, 20_000))?.early
    equal(await inTurn([0, 6, 20, 39], earlyAt), [false, true, false, true])
    equal((await store.find(record.id))?.intervalSeconds, 15)
  },

  'a hold shorter than the interval changes nothing': async ({ store }) => {
    const record = await addedRecord(store)
    const at = (seconds: number) => store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000, 2_000)
    equal(await inTurn([0, 5, 9], async (each) => (await at(each))?.early), [false, false, true])
  },

  'a clock that is set back costs one slow_down': async ({ store }) => {
    const record = await addedRecord(store)
    const at = (seconds: number) => store.poll(record.id, pollerOf(record), record.receivedAt + seconds * 1000)
    equal(await inTurn([300, 0, 10], async (each) => (await at(each))?.early), [false, true, false])
  },

  'a held poll that ends before its time counts from when it came': async ({ store }) => {
    if (store.release === undefined) return
    const record = await addedRecord(store)
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
  },

  'a poll by another client, or with another auth_req_id, sees and changes nothing': async ({ store }) => {
    const record = await addedRecord(store)
    const now = record.receivedAt + 1
    equal(await store.poll(record.id, { ...pollerOf(record), clientId: 'other' }, now), undefined)
    equal(await store.poll(record.id, { ...pollerOf(record), authReqIdHash: hashOf('other') }, now), undefined)
    equal(await store.find(record.id), record)
  },

  'a poll of an answered or expired record changes nothing': async ({ store }) => {
    const expired = await addedRecord(store)
    equal((await store.poll(expired.id, pollerOf(expired), expired.expiresAt))?.early, false)
    equal(await store.find(expired.id), expired)
    const denied = await addedRecord(store)
    await store.move(denied.id, { from: 'pending', to: 'denied', now: denied.receivedAt + 1 })
    const polled = await store.poll(denied.id, pollerOf(denied), denied.receivedAt + 2)
    equal([polled?.record.status, polled?.early, polled?.record.lastPollAt], ['denied', false, undefined])
  },

  'polls that race an answer do not undo it': async ({ store, race }) => {
    const record = await addedRecord(store)
    const now = record.receivedAt + 1
    const polls = race((n) => store.poll(record.id, pollerOf(record), now + n))
    await store.move(record.id, { from: 'pending', to: 'denied', now })
    await polls
    equal((await store.find(record.id))?.status, 'denied')
  },
}
