import { expect } from 'chai'
import { createSingleUseKeys } from '../../lib/adapters/stores/keyv/singleUseKeys.ts'

describe('single-use keys', () => {
  const until = Date.now() + 3_600_000
  const later = () => new Promise((resolve) => setTimeout(resolve, 60))
  /** A backend of which one caller at a time can delete each key, and an outage. */
  function set() {
    const there = new Set<string>()
    const outage = { set: false, delete: false }
    const failing = (verb: 'set' | 'delete') => {
      if (outage[verb]) throw new Error('out of reach')
    }
    const backend = {
      async set(key: string) {
        failing('set')
        there.add(key)
      },
      async delete(key: string) {
        const was = there.delete(key)
        failing('delete')
        return was
      },
    }
    return { there, outage, keys: createSingleUseKeys(backend, { settledMs: 10 }) }
  }

  it('let one caller write', async () => {
    const { keys } = set()
    await keys.put('t', until)
    let written = 0
    const write = async () => written++
    const outcomes = await Promise.all([1, 2, 3].map(() => keys.use('t', until, write)))
    expect([outcomes.filter(Boolean).length, written]).to.deep.equal([1, 1])
  })

  it('come back, however long it takes, when the winner could not write', async () => {
    const { there, outage, keys } = set()
    await keys.put('t', until)
    outage.set = true
    const error = await keys.use('t', until, () => Promise.reject(new Error('no write'))).catch(String)
    expect(error).to.equal('Error: no write')
    await later()
    expect(there.has('t')).to.equal(false)
    outage.set = false
    await later()
    expect(there.has('t')).to.equal(true)
  })

  it('do not come back when it is not certain who took them', async () => {
    const { there, outage, keys } = set()
    await keys.put('t', until)
    outage.delete = true
    expect(await keys.use('t', until, async () => {}).catch(String)).to.equal('Error: out of reach')
    await later()
    expect(there.has('t')).to.equal(false)
  })

  it('make losers wait for what the winner writes, and not for ever', async () => {
    const { keys } = set()
    let reads = 0
    expect(
      await keys.afterWinner(
        async () => ++reads,
        (value) => value === 3,
      ),
    ).to.equal(3)
    const error = await keys
      .afterWinner(
        async () => 0,
        () => false,
      )
      .catch(String)
    expect(error).to.match(/another process is changing this/)
  })
})
