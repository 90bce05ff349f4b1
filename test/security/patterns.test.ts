import { readdirSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('../../lib/', import.meta.url))

/** A pattern as it stands in formatted source: after a bracket, a comma, a colon or an operator. */
const literal =
  /(?<=[([,:=!?&|] ?|return )\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*)\/([a-z]*)/g

const patterns = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((file) =>
    readFileSync(root + file, 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*|#!)/.test(line))
      .flatMap((line) => [...line.matchAll(literal)].map(([, source = '', flags]) => ({ file, source, flags }))),
  )

/** Not linear, and harmless: what they read is short, and ours. */
const bounded: Readonly<Record<string, string>> = {
  'protocol/approval/view/question.ts \\S*\\d\\S*': 'a binding message, whose length is limited at the door',
  'core/crypto/vault.ts \\0+$': 'a name that we made ourselves, of limited length',
}

/** What may be repeated: every character and escape that the pattern tells apart, one alone and two in turn. */
function pumpsOf(source: string): readonly string[] {
  const own = new Set(source.replace(/\\([\\/[\](){}.*+?^$|-])/g, '$1'))
  const kinds = [...new Set([...own, ...' \t\0a0Z_-="\\\u00e9!'])]
  const firsts = kinds.slice(0, 12)
  return [...kinds, ...firsts.flatMap((one) => firsts.map((two) => one + two))]
}

/** The beginnings that lead into each part of the pattern: its own text, cut anywhere. */
function startsOf(source: string): readonly string[] {
  const plain = source.replace(/^\^|\$$|\\s?|[*+?()[\]]|\{[\d,]+\}/g, '')
  return ['', ...Array.from({ length: Math.min(24, plain.length) }, (_, n) => plain.slice(0, n + 1))]
}

function run(pattern: RegExp, text: string): void {
  pattern.lastIndex = 0
  if (pattern.global) text.replace(pattern, '')
  else pattern.test(text)
}

/** Milliseconds of the processor: what others do on the machine does not count. */
function effort(pattern: RegExp, text: string): number {
  const began = process.cpuUsage()
  run(pattern, text)
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}

/** A linear pattern reads the longest of these texts in a fraction of a millisecond, a quadratic one in more than a hundred. */
function isSlow(pattern: RegExp, textOf: (length: number) => string): boolean {
  // in small steps, as each may take a multiple of the one before
  for (let length = 16; length < 40_000; length = Math.ceil(length * 1.2)) {
    const text = textOf(length)
    if ([1, 2, 3].every(() => effort(pattern, text) > 20)) return true
  }
  return false
}

/** Whether it is worth a closer look, which others on the machine may cause too. */
function mayBeSlow(pattern: RegExp, textOf: (length: number) => string): boolean {
  return [20, 26, 300, 4096].some((length) => {
    const text = textOf(length)
    const began = performance.now()
    run(pattern, text)
    return performance.now() - began > 0.3
  })
}

/** A kind of text that takes far longer than its length explains. */
function worstCase(source: string, flags = ''): string | undefined {
  const pattern = new RegExp(source, flags)
  for (const start of startsOf(source)) {
    for (const pump of pumpsOf(source)) {
      for (const end of ['', '\n\u0001']) {
        const textOf = (length: number) => start + pump.repeat(length / pump.length) + end
        if (mayBeSlow(pattern, textOf) && isSlow(pattern, textOf)) return JSON.stringify(`${start}(${pump})*${end}`)
      }
    }
  }
  return undefined
}

describe('threat 47: the patterns of lib', function () {
  this.timeout(120_000)

  it('are all found', () => {
    expect(patterns.length).to.be.greaterThan(50)
  })

  for (const bad of ['^(a+)+b$', '^\\s*a\\s*\\s*$', '\\S*\\d\\S*', '^x[ab]*[bc]*d$', ' +$', '^(\\w+,?)*$'])
    it(`would be found slow if one were ${bad}`, () => {
      expect(worstCase(bad, 'g')).to.be.a('string')
    })

  for (const { file, source, flags } of patterns) {
    const name = `${file} ${source}`
    it(`${name} ${bounded[name] === undefined ? 'takes a time that grows with the length alone' : `reads ${bounded[name]}`}`, () => {
      if (bounded[name] === undefined) expect(worstCase(source, flags)).to.equal(undefined)
      else expect(worstCase(source, flags), 'is linear after all').to.be.a('string')
    })
  }
})
