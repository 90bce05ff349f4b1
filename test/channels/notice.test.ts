import { expect } from 'chai'
import { durationIn, lineOf, noticeStrings } from '../../lib/core/noticeTexts.ts'

describe('the words of a notice', () => {
  for (const [message, line] of [
    ['Click:', 'Click: L'],
    ['Click: ', 'Click: L'],
    ['Click:\n', 'Click:\nL'],
    ['', 'L'],
    ['<b>', '<b> L'],
  ] as const) {
    it(`put the link behind ${JSON.stringify(message)}`, () => {
      expect(lineOf({ message, link: 'L' })).to.equal(line)
    })
  }

  it('are those of the tag, of its language, or English', () => {
    const texts = { de: { message: 'Hallo' }, 'de-AT': { message: 'Servus' } }
    expect(noticeStrings('de-AT', texts).message).to.equal('Servus')
    expect(noticeStrings('de_CH', texts).message).to.equal('Hallo')
    for (const locale of ['en', 'en-US', 'xx', '', 'constructor', '__proto__']) {
      expect(noticeStrings(locale).message, locale).to.equal("To verify it's you, click this link:")
    }
  })

  it('tell durations', () => {
    expect(durationIn('en', 60)).to.equal('1 minute')
    expect(durationIn('de', 600)).to.equal('10 Minuten')
    expect(durationIn('en-US', 86_400)).to.equal('24 hours')
    expect(durationIn('en', 5)).to.equal('1 minute')
  })
})
