import { expect } from 'chai'
import { memoryStore } from 'express-ciba'
import { createOpenRequests } from '../../lib/adapters/stores/openRequests.ts'
import { requestRecord } from '../../lib/testing/storeContract.ts'

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

  it('counts a user’s open requests, however they come and go', () => {
    const closed = new Set<string>()
    const open = createOpenRequests((id) => !closed.has(id))
    const count = () => open.count('alice', 3, 0)
    for (const id of ['1', '2', '2', '3']) open.add({ id, sub: 'alice' })
    expect(count()).to.equal(3)
    open.remove({ id: '1', sub: 'alice' })
    open.remove({ id: '1', sub: 'alice' })
    expect(count()).to.equal(2)
    open.add({ id: '4', sub: 'alice' })
    closed.add('2').add('3')
    expect(count()).to.equal(1)
    open.remove({ id: '4', sub: 'alice' })
    expect(count()).to.equal(0)
    open.add({ id: '5', sub: 'alice' })
    expect(count()).to.equal(1)
    expect(open.count('bob', 3, 0)).to.equal(0)
  })
})
