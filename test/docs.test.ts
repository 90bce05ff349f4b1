import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { optionsDocument } from '../docs/generate.mjs'
import { type Block, blocksIn, check } from './docs/blocks.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

describe('the documents', () => {
  it('have the options as the types have them (npm run docs)', () => {
    expect(read('docs/options.md')).to.equal(optionsDocument())
  })

  it('name every option, in groups as well', () => {
    const groups = /^export interface (?:\w+Options|TokenLifetimes|Paths) \{\n([\s\S]*?)^\}/gm
    const bodies = [...read('lib/contracts/options.ts').matchAll(groups)].map(([, body = '']) => body)
    const names = bodies.flatMap((body) => [...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name]) => name))
    expect(names.length).to.be.greaterThan(100)
    const text = read('docs/options.md')
    expect(names.filter((name) => !text.includes(`\n| \`${name}\``))).to.deep.equal([])
  })

  for (const name of [...documents, 'CHANGELOG.md', 'CONTRIBUTING.md']) {
    it(`${name} leads to files that are there`, () => {
      const links = [...read(name).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link)
      expect(links.filter((link) => !existsSync(join(root, dirname(name), link)))).to.deep.equal([])
    })
  }

  it('lead to headings that are there', () => {
    const slugOf = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-')
    const absent = documents.flatMap((name) =>
      [...read(name).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].filter(([, link = '', anchor]) => {
        const headings = read(link === '' ? name : join(dirname(name), link)).matchAll(/^#+ (.*)$/gm)
        return ![...headings].some(([, heading = '']) => slugOf(heading) === anchor)
      }),
    )
    expect(absent.map(([link]) => link)).to.deep.equal([])
  })

  it('README.md is short, has code that runs near its top, and leads to all of them', () => {
    const lines = read('README.md').split('\n')
    expect(lines.length).to.be.at.most(300)
    expect(lines.slice(0, 20).join('\n')).to.include('createBackchannelRouter({')
    const absent = documents.slice(1).filter((name) => !lines.some((line) => line.includes(`(${name})`)))
    expect(absent).to.deep.equal([])
  })

  it('have code that type-checks', async () => {
    const blocks = documents.flatMap((name) => blocksIn(name, read(name)))
    expect(blocks.length).to.be.greaterThan(10)
    expect(await check(blocks)).to.deep.equal([])
  }).timeout(60_000)

  it('would not keep a mistake in their code to themselves', async () => {
    const text =
      '# One\n\n```ts\ncreateBackchannel({ ...options, isuer: 1 })\n```\n\n<!-- ts: a User -->\n\n```ts\n{ sub: 7 }\n```\n'
    const blocks: readonly Block[] = blocksIn('docs/one.md', text)
    const found = await check(blocks)
    expect(found.map((line) => line.split(' ').slice(0, 3).join(' ')).sort()).to.deep.equal([
      'docs/one.md:10: error TS2322:',
      'docs/one.md:4: error TS2304:',
    ])
  }).timeout(60_000)

  it('name scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json'))
    const named = documents.flatMap((name) =>
      [...read(name).matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script),
    )
    expect(named.filter((script) => scripts[script] === undefined)).to.deep.equal([])
  })
})
