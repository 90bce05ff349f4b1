import { equal, later } from '../check.ts'
import { grantRecord, rotation } from '../records.ts'
import type { Cases } from './case.ts'

export const grantCases: Cases = {
  'a refresh token rotates, may be repeated once in its grace, and ends its family when it is reused': async ({
    store,
  }) => {
    const grant = grantRecord()
    await store.addGrant(grant)
    equal(await store.findGrant(grant.id), grant)
    equal(await store.rotate(grant.id, rotation(grant.tokenHash, 'second')), 'rotated')
    equal(await store.rotate(grant.id, rotation(grant.tokenHash, 'third')), 'repeated')
    equal((await store.findGrant(grant.id))?.tokenHash, 'third')
    equal(await store.rotate(grant.id, rotation('second', 'fourth')), 'reused')
    equal(await store.findGrant(grant.id), undefined)
  },

  'a refresh token may not be repeated after its grace': async ({ store }) => {
    const grant = grantRecord()
    await store.addGrant(grant)
    const first = rotation(grant.tokenHash, 'second')
    equal(await store.rotate(grant.id, first), 'rotated')
    equal(await store.rotate(grant.id, { ...first, now: first.previousUntil }), 'reused')
    equal(await store.rotate(grant.id, rotation('second', 'third')), undefined)
  },

  'a grant ends at its time, which a rotation moves': async ({ store }) => {
    const grant = { ...grantRecord(), expiresAt: Date.now() + 300 }
    const moved = { ...grantRecord(), expiresAt: Date.now() + 300 }
    await Promise.all([store.addGrant(grant), store.addGrant(moved)])
    equal(await store.rotate(grant.id, { ...rotation(grant.tokenHash, 'late'), now: grant.expiresAt }), undefined)
    equal(await store.rotate(moved.id, rotation(moved.tokenHash, 'next')), 'rotated')
    await later(400)
    equal(await store.findGrant(grant.id), undefined)
    equal((await store.findGrant(moved.id))?.tokenHash, 'next')
  },

  'of racing rotations one is the first': async ({ store, race }) => {
    const grant = grantRecord()
    await store.addGrant(grant)
    const results = await race((n) =>
      store.rotate(grant.id, { ...rotation(grant.tokenHash, `next-${n}`), previousUntil: 0 }),
    )
    equal(results.filter((each) => each === 'rotated').length, 1)
  },

  'a grant can be ended': async ({ store }) => {
    const grant = grantRecord()
    await store.addGrant(grant)
    await store.endGrant(grant.id)
    await store.endGrant(grant.id)
    equal(await store.findGrant(grant.id), undefined)
  },

  'a grant that is ended stays ended, whatever is rotating it at that moment': async ({ store }) => {
    for (let round = 0; round < 20; round++) {
      const grant = grantRecord()
      await store.addGrant(grant)
      const rotating = store.rotate(grant.id, rotation(grant.tokenHash, 'second'))
      for (let turns = 0; turns < round; turns++) await Promise.resolve()
      await Promise.all([store.endGrant(grant.id), rotating])
      equal(await store.findGrant(grant.id), undefined)
    }
  },
}
