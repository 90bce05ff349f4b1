import { expect } from 'chai'
import { createSchedule } from '../../lib/adapters/queues/retry.ts'

const job = { request: 'r', clientId: 'till', expiresAt: 600_000 }
const at = (step: unknown) => (step as { runAt: number }).runAt

describe('the schedule of deliveries', () => {
  const schedule = createSchedule({}, 15_000)
  const retry = (attempt: number, now: number, afterMs?: number) =>
    schedule.after(job, { next: 'retry', ...(afterMs === undefined ? {} : { afterMs }) }, attempt, now)

  it('waits 1 s, 2 s, 4 s … 60 s, each between half and all of it', () => {
    for (const [attempt, wait] of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000].entries()) {
      const waits = Array.from({ length: 50 }, () => at(retry(attempt + 1, 0)))
      expect(Math.min(...waits)).to.be.at.least(wait / 2)
      expect(Math.max(...waits)).to.be.at.most(wait)
      expect(new Set(waits).size).to.be.greaterThan(1)
    }
  })

  it('obeys Retry-After, but not beyond the end of the request', () => {
    expect(at(retry(1, 0, 90_000))).to.equal(90_000)
    expect(at(retry(1, 0, 900_000))).to.equal(600_000)
  })

  it('repeats the last run for a minute, and then gives up', () => {
    expect(at(retry(9, 600_000))).to.be.within(600_001, 660_000)
    expect(retry(9, 660_000)).to.deep.equal({ park: 'expired' })
    expect(schedule.after(job, { next: 'sleep' }, 0, 600_000)).to.deep.equal({ runAt: 601_000 })
    expect(schedule.after(job, { next: 'sleep' }, 0, 660_000)).to.equal('end')
  })

  it('looks after a sleeping job now and then, and at its end', () => {
    expect(schedule.asleep(job, 0)).to.equal(15_000)
    expect(schedule.asleep(job, 590_000)).to.equal(600_000)
    expect(schedule.after(job, { next: 'sleep' }, 0, 100)).to.deep.equal({ runAt: 15_100 })
  })
})
