import { newId } from '../../core/crypto/handles.ts'
import { equal, later } from '../check.ts'
import { requestRecord, rotation } from '../records.ts'
import type { Cases } from './case.ts'

export const recordCases: Cases = {
  'a record is found as it was added': async ({ store }) => {
    const record = requestRecord({
      details: {
        scope: ['openid'],
        bindingMessage: 'Ж字 "quoted" \\ 🙂',
        requestContext: { a: [1, null, { b: true }], '\u0000': '\u0000\ud800' },
      },
    })
    equal(await store.add(record), 'added')
    equal(await store.find(record.id), record)
  },

  'a record is gone from its keptUntil on': async ({ store }) => {
    const record = requestRecord({ keptUntil: Date.now() + 300 })
    await store.add(record)
    equal(await store.find(record.id), record)
    await later(400)
    equal(await store.find(record.id), undefined)
  },

  'what was never added is not there': async ({ store }) => {
    const id = newId()
    equal(await store.find(id), undefined)
    equal(await store.poll(id, { clientId: 'client', authReqIdHash: 'hash' }, Date.now()), undefined)
    equal(await store.move(id, { from: 'pending', to: 'denied', now: Date.now() }), undefined)
    equal(await store.findGrant(id), undefined)
    equal(await store.rotate(id, rotation('a', 'b')), undefined)
  },
}
