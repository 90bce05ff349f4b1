import { expect } from 'chai'
import { eachWithinItsOwn } from '../lib/protocol/authorization/authorizationDetails.ts'

const atMost = (granted: number, asked: number) => granted <= asked

describe('each within its own', () => {
  const cases: [granted: number[], asked: number[], outcome: boolean][] = [
    [[], [], true],
    [[], [5], true],
    [[5], [5], true],
    [[3, 5], [5, 3], true],
    [[3, 5], [3, 5], true],
    [[1, 2, 3], [3, 1, 2], true],
    [[5, 5], [5], false],
    [[5, 5], [5, 3], false],
    [[6], [5], false],
    [[1], [], false],
  ]
  for (const [granted, asked, outcome] of cases) {
    it(`${JSON.stringify(granted)} of ${JSON.stringify(asked)}: ${outcome}`, () => {
      expect(eachWithinItsOwn(granted, asked, atMost)).to.equal(outcome)
    })
  }
})
