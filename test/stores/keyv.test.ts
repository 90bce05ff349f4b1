import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { expect } from 'chai'
import { type KeyvLike, keyvStore } from 'express-ciba/stores/keyv'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'
import { createBackend } from '../../lib/adapters/stores/keyv/backend.ts'
import { grantRecord, requestRecord } from '../../lib/testing/records.ts'

describe('keyvStore', () => {
  const warningsFor = (keyv: KeyvLike) => {
    const warnings: string[] = []
    keyvStore(keyv, { warn: (text) => warnings.push(text) })
    return warnings
  }
  /** Never asked anything. */
  class Unheard extends Map {}

  it('says at start which backend cannot promise one winner among several processes', () => {
    const postgres = () => new KeyvPostgres({ uri: 'postgresql://127.0.0.1:9' }).on('error', () => {})
    for (const keyv of [new Keyv(postgres()).on('error', () => {}), new Keyv6(postgres())]) {
      expect(warningsFor(keyv)).to.match(/^express-ciba: keyvStore: KeyvPostgres looks first and deletes after/)
    }
    expect(warningsFor(new Keyv(new Unheard()))[0]).to.include('Unheard is not known')
  })

  it('has nothing to say about memory and Redis', () => {
    for (const keyv of [new Keyv(), new Keyv6(), new Keyv(new KeyvRedis()), new Keyv6(new KeyvRedis())]) {
      expect(warningsFor(keyv)).to.deep.equal([])
    }
  })

  it('needs a Keyv, and says so', () => {
    for (const wrong of [undefined, null, new Map(), 'redis://127.0.0.1:6379']) {
      expect(() => keyvStore(wrong as never)).to.throw(TypeError, 'needs a Keyv')
    }
  })

  it('never takes a failure for "not there", nor another one’s failure for its own', async () => {
    const map = new Map<string, unknown>()
    const broken = { get: failing('get'), set: map.set.bind(map), delete: failing('delete'), clear: () => {} }
    function failing(verb: string) {
      return async (key: string) => {
        await new Promise((resolve) => setTimeout(resolve, key.includes('bad') ? 1 : 5))
        if (key.includes('bad')) throw new Error(`${verb} failed`)
        return verb === 'get' ? undefined : true
      }
    }
    for (const keyv of [new Keyv({ store: broken }), new Keyv6({ store: broken })] as KeyvLike[]) {
      const backend = createBackend(keyv)
      const outcomes = await Promise.allSettled([
        backend.get('bad'),
        backend.get('good'),
        backend.delete('bad'),
        backend.delete('good'),
      ])
      expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
    }
  })

  for (const [name, keyv, map] of [backed('5', (map) => new Keyv(map)), backed('6', (map) => new Keyv6(map))]) {
    it(`empties a Map of what is over, with Keyv ${name}`, async () => {
      const backend = createBackend(keyv, { everyMs: 10 })
      await backend.set('short', 1, Date.now() + 50)
      await backend.set('longer', 1, Date.now() + 50)
      await backend.set('longer', 2, Date.now() + 60_000)
      expect(map.size).to.equal(2)
      await new Promise((resolve) => setTimeout(resolve, 1200))
      expect(map.size).to.equal(1)
      expect(await backend.get('longer')).to.equal(2)
      backend.stop()
    })
  }

  it('lets one of several stores on one backend win, and tells the others how things stand', async () => {
    const map = new Map()
    const stores = Array.from({ length: 4 }, () => keyvStore(new Keyv(map), { warn() {} }))
    const [first] = stores
    const record = requestRecord()
    await first?.add(record)
    const moved = await Promise.all(
      stores.map((store) => store.move(record.id, { from: 'pending', to: 'denied', now: Date.now() })),
    )
    expect(moved.filter((each) => each?.moved)).to.have.length(1)
    for (const each of moved) expect(each?.record.status).to.equal('denied')

    const grant = grantRecord()
    await first?.addGrant(grant)
    const now = Date.now()
    const rotation = { from: grant.tokenHash, to: 'next', expiresAt: now + 60_000, previousUntil: now + 60_000, now }
    const rotated = await Promise.all(stores.map((store) => store.rotate(grant.id, rotation)))
    expect(rotated.filter((each) => each === 'rotated')).to.have.length(1)
    expect((await first?.findGrant(grant.id))?.tokenHash).to.equal('next')

    const again = { ...rotation, from: 'next', to: 'last' }
    await Promise.all([first?.rotate(grant.id, again), ...stores.slice(1).map((store) => store.endGrant(grant.id))])
    expect(await first?.findGrant(grant.id)).to.equal(undefined)
  })

  it('leaves nothing of a user’s name or a replay key in the names of keys', async () => {
    const map = new Map<string, unknown>()
    const store = keyvStore(new Keyv(map))
    await store.add(requestRecord({ sub: 'alice@example.com' }))
    await store.firstSeen('a secret jti', Date.now() + 1000)
    expect([...map.keys()].join()).to.not.match(/alice|jti/)
    await store.close?.()
  })
})

function backed(name: string, make: (map: Map<string, unknown>) => KeyvLike): [string, KeyvLike, Map<string, unknown>] {
  const map = new Map<string, unknown>()
  return [name, make(map), map]
}
