import { expect } from 'chai'
import { choicesOf } from '../../lib/protocol/approval/view/question.ts'

const seeds = Array.from({ length: 200 }, (_, index) => `seed ${index}`)

describe('choices', () => {
  it('are three different messages of the same shape, one of them the real one', () => {
    for (const seed of seeds) {
      const choices = choicesOf('Till 4, code K7q-2M', seed) ?? []
      expect(new Set(choices)).to.have.length(3)
      expect(choices).to.include('Till 4, code K7q-2M')
      for (const choice of choices) expect(choice).to.match(/^Till \d, code [A-Z]\d[a-z]-\d[A-Z]$/)
    }
  })

  it('stay the same for a request, and put the real one in every place', () => {
    expect(choicesOf('W4SCT', 'a')).to.deep.equal(choicesOf('W4SCT', 'a'))
    const places = seeds.map((seed) => choicesOf('W4SCT', seed)?.indexOf('W4SCT'))
    for (const place of [0, 1, 2]) expect(places.filter((each) => each === place).length).to.be.within(40, 100)
  })

  it('are not offered where nothing can differ', () => {
    expect(choicesOf('Pay the gardener', 'a')).to.equal(undefined)
  })
})
