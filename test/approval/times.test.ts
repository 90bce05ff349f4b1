import { expect } from 'chai'
import { createTimes } from '../../lib/protocol/approval/view/times.ts'

const minute = 60_000
const hour = 60 * minute
const noon = Date.UTC(2030, 0, 15, 12)
const { relative, clock } = createTimes('UTC')

describe('times', () => {
  it('are told as people tell them', () => {
    expect(relative(noon - 5_000, noon, 'en')).to.equal('now')
    expect(relative(noon + 4_200, noon, 'en')).to.equal('in 5 seconds')
    expect(relative(noon - 2.5 * minute, noon, 'en')).to.equal('2 minutes ago')
    expect(relative(noon + 3 * hour, noon, 'de')).to.equal('in 3 Stunden')
    expect(relative(noon - 24 * hour, noon, 'en')).to.equal('yesterday')
  })

  it('have a day when they are long ago', () => {
    expect(clock(noon - hour, noon, 'en')).to.match(/^11:00\sAM UTC$/)
    expect(clock(noon - 13 * hour, noon, 'en')).to.match(/^Jan 14, 11:00\sPM UTC$/)
  })

  it('are told in any number of languages', () => {
    const regions = Array.from({ length: 120 }, (_, n) => `en-${100 + n}`)
    for (const locale of regions) expect(relative(noon, noon, locale)).to.equal('now')
  })
})
