import { expect } from 'chai'
import { memoryStore } from 'express-ciba'
import { requestRecord } from '../../lib/testing/records.ts'

describe('memoryStore', () => {
  it('goes by the clock it is given', async () => {
    let now = Date.now()
    const store = memoryStore({ clock: () => now })
    const record = requestRecord()
    await store.add(record)
    now = record.keptUntil - 1
    expect(await store.find(record.id)).to.deep.equal(record)
    now = record.keptUntil
    expect(await store.find(record.id)).to.equal(undefined)
    await store.close?.()
  })

  it('counts a user’s open requests, however they come and go', async () => {
    let now = Date.now()
    const store = memoryStore({ clock: () => now })
    const record = (expiresAt = now + 600_000, sub = 'alice') => requestRecord({ sub, receivedAt: now, expiresAt })
    /** The first limit that lets one more in says how many there were. */
    const count = async (sub?: string) => {
      for (let open = 0; ; open++) {
        const probe = record(undefined, sub)
        if ((await store.add(probe, open + 1)) === 'too_many_open') continue
        await store.move(probe.id, { from: 'pending', to: 'failed', now })
        return open
      }
    }
    const [one, two, three] = [record(), record(now + 1000), record(now + 1000)]
    for (const each of [one, two, two, three]) await store.add(each)
    expect(await count()).to.equal(3)
    await store.move(one.id, { from: 'pending', to: 'approved', now })
    await store.move(one.id, { from: 'approved', to: 'redeemed', now })
    expect(await count()).to.equal(2)
    const four = record()
    await store.add(four)
    now += 1000
    expect(await count()).to.equal(1)
    await store.move(four.id, { from: 'pending', to: 'denied', now })
    expect(await count()).to.equal(0)
    await store.add(record())
    expect(await count()).to.equal(1)
    expect(await count('bob')).to.equal(0)
    await store.close?.()
  })
})
