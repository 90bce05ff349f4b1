import { expect } from 'chai'
import { inProcessQueue } from 'express-ciba'
import { heldQueue } from '../../examples/op/heldQueue.ts'

const tick = () => new Promise((resolve) => setTimeout(resolve, 20))
const job = (request: string) => ({ request, clientId: 'till', expiresAt: Date.now() + 60_000 })

describe('examples/op: the queue that holds pings back', () => {
  it('runs a held job when it is released, and the others at once', async () => {
    const ran: string[] = []
    const { queue, hold } = heldQueue(inProcessQueue())
    queue.start(
      async ({ request }) => {
        ran.push(request)
        return { next: 'end' }
      },
      () => {},
    )
    const release = hold('held')
    for (const each of [job('held'), job('free')]) {
      await queue.add(each)
      await queue.wake(each)
    }
    await tick()
    expect(ran).to.deep.equal(['free'])
    release()
    await tick()
    expect(ran).to.deep.equal(['free', 'held'])
    await queue.close()
  })
})
