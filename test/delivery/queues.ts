import { expect } from 'chai'
import type { DeliveryJob, DeliveryQueue, DeliveryResult } from 'express-ciba'
import { newId } from '../../lib/core/crypto/handles.ts'

const end: DeliveryResult = { next: 'end' }
const sleep: DeliveryResult = { next: 'sleep' }
const retry: DeliveryResult = { next: 'retry' }

/** What every queue promises. `make` gets fast retries: 20 ms first, 100 ms longest, 2 calls per client. */
export function queueContract(name: string, make: () => DeliveryQueue): void {
  describe(name, () => {
    let queue: DeliveryQueue
    let runs: { request: string; attempt: number; at: number }[]
    let answer: (job: DeliveryJob, attempt: number) => DeliveryResult | Promise<DeliveryResult>
    const errors: unknown[] = []
    const job = (lifeMs = 60_000, clientId = 'till'): DeliveryJob => ({
      request: newId(),
      clientId,
      expiresAt: Date.now() + lifeMs,
    })
    const until = async (check: () => boolean | Promise<boolean>, withinMs = 4000) => {
      for (const deadline = Date.now() + withinMs; !(await check()); ) {
        if (Date.now() > deadline) throw new Error('it did not come to that')
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
    beforeEach(() => {
      runs = []
      answer = () => end
      queue = make()
      queue.start(
        async (job, attempt) => {
          runs.push({ request: job.request, attempt, at: Date.now() })
          return answer(job, attempt)
        },
        (cause) => errors.push(cause),
      )
    })
    afterEach(async () => {
      await queue.close()
      expect(errors.splice(0)).to.deep.equal([])
    })

    it('lets a job sleep until it is woken, and ends it', async () => {
      const one = job()
      await queue.add(one)
      await pass(100)
      expect(runs).to.deep.equal([])
      await queue.wake(one)
      await until(() => runs.length === 1)
      await pass(150)
      expect(runs).to.have.length(1)
      expect(await queue.failed()).to.deep.equal([])
    })

    it('runs a job that was added elsewhere, and one that was never added', async () => {
      await queue.wake(job())
      await until(() => runs.length === 1)
    })

    it('runs a sleeping job when its request expires', async () => {
      const one = job(300)
      await queue.add(one)
      await until(() => runs.length === 1)
      expect(runs[0]?.at).to.be.within(one.expiresAt, one.expiresAt + 1000)
    })

    it('does not count a run that found no answer as a try', async () => {
      answer = () => (runs.length === 1 ? sleep : end)
      const one = job(300)
      await queue.add(one)
      await queue.wake(one)
      await until(() => runs.length === 2)
      expect(runs.map(({ attempt }) => attempt)).to.deep.equal([1, 1])
    })

    it('looks again when it was woken during a run that found no answer', async () => {
      let release = () => {}
      answer = () => {
        if (runs.length > 1) return end
        return new Promise((resolve) => {
          release = () => resolve(sleep)
        })
      }
      const one = job()
      await queue.add(one)
      await queue.wake(one)
      await until(() => runs.length === 1)
      const woken = queue.wake(one)
      await pass(20)
      release()
      await woken
      await until(() => runs.length === 2)
    })

    it('retries with growing waits and counts the tries', async () => {
      answer = (_job, attempt) => (attempt < 4 ? retry : end)
      const one = job()
      await queue.add(one)
      await queue.wake(one)
      await until(() => runs.length === 4)
      expect(runs.map(({ attempt }) => attempt)).to.deep.equal([1, 2, 3, 4])
      const waits = runs.slice(1).map(({ at }, index) => at - (runs[index]?.at ?? 0))
      for (const [index, least] of [10, 20, 40].entries()) expect(waits[index]).to.be.at.least(least - 2)
    })

    it('waits as long as the receiver asks', async () => {
      answer = (_job, attempt) => (attempt === 1 ? { next: 'retry', afterMs: 400 } : end)
      const one = job()
      await queue.add(one)
      await queue.wake(one)
      await until(() => runs.length === 2)
      expect((runs[1]?.at ?? 0) - (runs[0]?.at ?? 0)).to.be.at.least(395)
    })

    it('runs for the last time when the request expires, however long the wait', async () => {
      answer = (each) =>
        Date.now() >= each.expiresAt ? { next: 'park', reason: 'expired' } : { next: 'retry', afterMs: 60_000 }
      const one = job(300)
      await queue.add(one)
      await queue.wake(one)
      await until(async () => (await queue.failed()).length === 1)
      expect(runs.map(({ attempt }) => attempt)).to.deep.equal([1, 2])
      const [failure] = await queue.failed()
      expect(failure).to.deep.include({ ...one, attempts: 2, reason: 'expired' })
      expect(await queue.replay(one.request)).to.equal(false)
    })

    it('keeps what was given up, and replays it', async () => {
      answer = () => (runs.length === 1 ? { next: 'park', reason: 'status_401' } : end)
      const one = job()
      await queue.add(one)
      await queue.wake(one)
      await until(async () => (await queue.failed()).length === 1)
      const [failure] = await queue.failed()
      expect(failure).to.deep.include({ ...one, attempts: 1, reason: 'status_401' })
      expect(failure?.failedAt).to.be.within(Date.now() - 2000, Date.now())
      expect(await queue.replay('nothing-like-it')).to.equal(false)
      expect(await queue.replay(one.request)).to.equal(true)
      await until(() => runs.length === 2)
      await until(async () => (await queue.failed()).length === 0)
    })

    it('caps the calls to one client, and a stuck client holds up nobody else', async () => {
      const free: (() => void)[] = []
      let stuck = 0
      let most = 0
      answer = (each) => {
        if (each.clientId === 'till') return end
        stuck += 1
        most = Math.max(most, stuck)
        return new Promise((resolve) => {
          free.push(() => {
            stuck -= 1
            resolve(end)
          })
        })
      }
      const stuckJobs = Array.from({ length: 4 }, () => job(60_000, 'dead'))
      for (const each of stuckJobs) await queue.wake(each)
      await until(() => free.length === 2)
      const others = Array.from({ length: 5 }, () => job())
      for (const each of others) await queue.wake(each)
      await until(() => others.every(({ request }) => runs.some((each) => each.request === request)), 1000)
      expect(free).to.have.length(2)
      await until(() => {
        for (const release of free.splice(0)) release()
        return stuckJobs.every(({ request }) => runs.some((each) => each.request === request))
      }, 8000)
      expect(most).to.equal(2)
    })

    it('finishes what is under way when it closes, and takes nothing more', async () => {
      let finished = false
      answer = async () => {
        await pass(100)
        finished = true
        return end
      }
      await queue.wake(job())
      await until(() => runs.length === 1)
      await queue.close()
      expect(finished).to.equal(true)
      await queue.wake(job()).catch(() => {})
      await pass(50)
      expect(runs).to.have.length(1)
    })

    it('serves one engine', () => {
      expect(() =>
        queue.start(
          async () => end,
          () => {},
        ),
      ).to.throw(TypeError, 'one engine')
    })
  })
}
