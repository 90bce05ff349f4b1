import { expect } from 'chai'
import { createForgetting } from '../../lib/adapters/stores/expiry.ts'
import { until } from '../helpers/until.ts'

describe('forgetting', () => {
  const forgotten: string[] = []
  let now = 1_000_000
  const start = (forget: (key: string) => number | undefined) => createForgetting(() => now, forget, { everyMs: 5 })
  const gone = (key: string) => void forgotten.push(key)
  const look = () => new Promise((resolve) => setTimeout(resolve, 40))
  const hasForgotten = (count: number) => until(() => forgotten.length >= count)
  beforeEach(() => {
    forgotten.length = 0
  })

  it('forgets what is over, and nothing else', async () => {
    const forgetting = start(gone)
    forgetting.at(now + 1000, 'soon')
    forgetting.at(now + 5000, 'later')
    forgetting.at(now - 60_000, 'long over')
    await hasForgotten(1)
    await look()
    expect(forgotten).to.deep.equal(['long over'])
    now += 1000
    await hasForgotten(2)
    await look()
    expect(forgotten).to.deep.equal(['long over', 'soon'])
    now += 3_600_000
    await hasForgotten(3)
    expect(forgotten).to.deep.equal(['long over', 'soon', 'later'])
    forgetting.stop()
  })

  it('looks again at what lives longer than was thought', async () => {
    let lives = now + 3000
    const forgetting = start((key) => (lives > now ? lives : gone(key)))
    forgetting.at(now + 1000, 'moved')
    now += 2000
    await look()
    expect(forgotten).to.deep.equal([])
    lives = now
    now += 1000
    await hasForgotten(1)
    expect(forgotten).to.deep.equal(['moved'])
    forgetting.stop()
  })

  it('lets others have a turn when a great many are over at once', async () => {
    const forgetting = start(gone)
    for (let n = 0; n < 50_000; n++) forgetting.at(now, String(n))
    while (forgotten.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(forgotten.length).to.be.below(50_000)
    await hasForgotten(50_000)
    expect(forgotten).to.have.length(50_000)
    forgetting.stop()
  })
})
