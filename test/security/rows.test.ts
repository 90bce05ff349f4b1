import { expect } from 'chai'
import { namedRows, testFiles, threats } from './rows.mjs'

describe('docs/security.md', () => {
  it('has every row, from 1 to 59', () => {
    expect(threats.map(({ row }) => row)).to.deep.equal(Array.from({ length: 59 }, (_, n) => n + 1))
  })

  it('has a test for each row, or a sentence why not', () => {
    const tested = new Set(testFiles().flatMap(({ text }) => namedRows(text)))
    const idle = threats.filter(
      ({ row, countermeasure }) => tested.has(row) === countermeasure.startsWith('not tested'),
    )
    expect(idle).to.deep.equal([])
  })
})
