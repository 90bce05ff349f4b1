import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const here = fileURLToPath(new URL('.', import.meta.url))
const rules: { tested: string[]; notTested: Record<string, string> } = JSON.parse(
  readFileSync(join(here, 'rules.json'), 'utf8'),
)
const folder = join(here, '..')
const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n')

/** Every id that a test names, ranges such as `CIBA-7.3-01..07` included. */
function named(text: string): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const [, rule = '', from = '', to = from] of text.matchAll(
    /\b([A-Z0-9]+-[A-Za-z0-9.]+-)(\d\d)(?:\.\.(\d\d))?/g,
  )) {
    for (let n = Number(from); n <= Number(to); n++) ids.add(rule + String(n).padStart(2, '0'))
  }
  return ids
}

describe('the rules', () => {
  const found = named(tests)

  it('are read from the names of tests', () => {
    expect([...named("it('CIBA-7.3-01..03, R9449-5-01 says')")]).to.deep.equal([
      'CIBA-7.3-01',
      'CIBA-7.3-02',
      'CIBA-7.3-03',
      'R9449-5-01',
    ])
  })

  it('are each named by a test', () => {
    expect(rules.tested.length).to.be.greaterThan(290)
    expect(rules.tested.filter((id) => !found.has(id))).to.deep.equal([])
  })

  it('that no test names have a reason', () => {
    const idle = Object.entries(rules.notTested).filter(([id, reason]) => found.has(id) || reason.length < 10)
    expect(idle).to.deep.equal([])
  })
})
