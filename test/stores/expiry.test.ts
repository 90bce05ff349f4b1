import { expect } from 'chai'
import { createExpiry } from '../../lib/adapters/stores/expiry.ts'
import { until } from '../helpers/until.ts'

describe('the expiry of keys', () => {
  const removed: string[] = []
  let now = 1_000_000
  const start = (expire: (key: string) => number | undefined) => createExpiry(() => now, expire, { everyMs: 5 })
  const remove = (key: string) => void removed.push(key)
  const look = () => new Promise((resolve) => setTimeout(resolve, 40))
  const hasRemoved = (count: number) => until(() => removed.length >= count)
  beforeEach(() => {
    removed.length = 0
  })

  it('removes what has ended, and nothing else', async () => {
    const expiry = start(remove)
    expiry.add('soon', now + 1000)
    expiry.add('later', now + 5000)
    expiry.add('long over', now - 60_000)
    await hasRemoved(1)
    await look()
    expect(removed).to.deep.equal(['long over'])
    now += 1000
    await hasRemoved(2)
    await look()
    expect(removed).to.deep.equal(['long over', 'soon'])
    now += 3_600_000
    await hasRemoved(3)
    expect(removed).to.deep.equal(['long over', 'soon', 'later'])
    expiry.stop()
  })

  it('looks again at what lives longer than was thought', async () => {
    let end = now + 3000
    const expiry = start((key) => (end > now ? end : remove(key)))
    expiry.add('moved', now + 1000)
    now += 2000
    await look()
    expect(removed).to.deep.equal([])
    end = now
    now += 1000
    await hasRemoved(1)
    expect(removed).to.deep.equal(['moved'])
    expiry.stop()
  })

  it('lets other work have its turn when a great many keys have ended at once', async () => {
    const expiry = start(remove)
    for (let n = 0; n < 50_000; n++) expiry.add(String(n), now)
    while (removed.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(removed.length).to.be.below(50_000)
    await hasRemoved(50_000)
    expect(removed).to.have.length(50_000)
    expiry.stop()
  })
})
