import { expect } from 'chai'
import { inProcessQueue } from 'express-ciba'
import { until } from '../helpers/until.ts'
import { queueContract } from './queues.ts'

queueContract('inProcessQueue', () =>
  inProcessQueue({ firstRetrySeconds: 0.02, maxRetrySeconds: 0.1, concurrencyPerClient: 2 }),
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

  it('holds 20000 of them without a timer that keeps the process alive, and runs each at its time', async () => {
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

describe('inProcessQueue and time', () => {
  /** A queue that tells which jobs it ran. */
  const started = (clock?: () => number) => {
    const queue = inProcessQueue(clock === undefined ? {} : { clock })
    const ran: string[] = []
    queue.start(
      async ({ request }) => {
        ran.push(request)
        return { next: 'end' }
      },
      () => {},
    )
    return { queue, ran }
  }

  it('waits longer than a timer of Node can', async () => {
    const { queue, ran } = started()
    await queue.add({ request: 'far', clientId: 'a', expiresAt: Date.now() + 60 * 86_400_000 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(ran).to.deep.equal([])
    await queue.close()
  })

  it('goes by the clock it is given', async () => {
    let now = 1_000_000
    const { queue, ran } = started(() => now)
    await queue.add({ request: 'soon', clientId: 'a', expiresAt: now + 20 })
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(ran).to.deep.equal([])
    now += 20
    await until(() => ran.length === 1)
    await queue.close()
  })
})
