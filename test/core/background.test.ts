import { expect } from 'chai'
import { createBackground } from '../../lib/core/background.ts'

describe('what is not awaited', () => {
  it('may wait many times at once, without a warning of Node, until the engine closes', async () => {
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const background = createBackground(() => {})
    const waits = Array.from({ length: 20 }, () => background.wait(60_000))
    await new Promise(setImmediate)
    await background.close()
    expect(new Set(await Promise.all(waits))).to.deep.equal(new Set([false]))
    process.off('warning', note)
    expect(warnings).to.deep.equal([])
  })
})
