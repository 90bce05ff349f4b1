import { newId } from '../../core/crypto/handles.ts'
import { equal } from '../check.ts'
import { requestRecord } from '../records.ts'
import type { Cases } from './case.ts'

export const openRequestCases: Cases = {
  'a user has no more open requests than the limit, however many race': async ({ store, race }) => {
    const sub = newId()
    const results = await race(() => store.add(requestRecord({ sub }), 3))
    equal(results.filter((each) => each === 'added').length, 3)
  },

  'requests count as open whether or not they were added with a limit': async ({ store }) => {
    const sub = `user {${newId()}} ж:*`
    equal(await store.add(requestRecord({ sub })), 'added')
    equal(await store.add(requestRecord({ sub }), 1), 'too_many_open')
    const { sub: _, ...withoutUser } = requestRecord()
    equal(await store.add(withoutUser, 1), 'added')
  },

  'an answered request is not open any more, nor is an expired one': async ({ store }) => {
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
  },
}
