import { expect } from 'chai'
import { createHeap } from '../../lib/adapters/queues/heap.ts'
import { inProcessQueue } from '../../lib/adapters/queues/inProcess.ts'
import { until } from '../helpers/until.ts'
import { queueContract } from './queues.ts'

queueContract('inProcessQueue', () =>
  inProcessQueue({ firstRetryMs: 20, longestRetryMs: 100, concurrencyPerClient: 2 }),
)

describe('inProcessQueue with many jobs', () => {
  it('remembers the last thousand that were given up', async () => {
    const queue = inProcessQueue()
    queue.start(
      async () => ({ next: 'park', reason: 'status_403' }),
      () => {},
    )
    const expiresAt = Date.now() + 600_000
    for (let index = 0; index < 1_010; index++) await queue.wake({ request: String(index), clientId: 'a', expiresAt })
    await until(async () => (await queue.failed())[0]?.request === '1009')
    const failed = await queue.failed()
    expect([failed.length, failed.at(-1)?.request]).to.deep.equal([1_000, '10'])
    await queue.close()
  })

  it('holds 20000 of them with one timer, and runs each at its time', async () => {
    const queue = inProcessQueue()
    const late: number[] = []
    queue.start(
      async ({ expiresAt }) => {
        late.push(Date.now() - expiresAt)
        return { next: 'end' }
      },
      () => {},
    )
    const before = timers()
    const now = Date.now()
    for (let index = 0; index < 20_000; index++) {
      const expiresAt = index % 100 === 0 ? now + 200 + (index % 7) * 20 : now + 600_000 + index
      await queue.add({ request: String(index), clientId: `client-${index % 300}`, expiresAt })
    }
    expect(timers() - before).to.be.at.most(1)
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(late).to.have.length(200)
    expect(Math.min(...late)).to.be.at.least(0)
    await queue.close()
  })

  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
})

describe('createHeap', () => {
  it('gives back the earliest first', () => {
    const heap = createHeap<{ at: number }>()
    const times = Array.from({ length: 500 }, () => Math.floor(Math.random() * 1000))
    for (const at of times) heap.add({ at })
    const taken = times.map(() => {
      const first = heap.first()
      expect(heap.take()).to.equal(first)
      return first?.at
    })
    expect(taken).to.deep.equal(times.toSorted((a, b) => a - b))
    expect([heap.first(), heap.take()]).to.deep.equal([undefined, undefined])
  })
})
