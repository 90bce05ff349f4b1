import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const filesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .sort()

const files = filesIn('lib').map((name) => name.slice('lib/'.length))
const texts = new Map(files.map((file) => [file, read(`lib/${file}`)]))
const textOf = (file: string) => texts.get(file) ?? ''

interface Import {
  readonly from: string
  /** A file of lib, or a package. */
  readonly to: string
  readonly kind: 'value' | 'type' | 'dynamic'
}

const statement = /^(?:import|export)\s(?:(type)\s)?(?:[^'";]*?\sfrom\s)?'([^']+)'/gm
const expression = /\bimport\('([^']+)'\)/g

const imports: Import[] = files.flatMap((from) => [
  ...[...textOf(from).matchAll(statement)].map(
    ([, type, to = '']): Import => ({ from, to: target(from, to), kind: type === undefined ? 'value' : 'type' }),
  ),
  ...[...textOf(from).matchAll(expression)].map(
    ([, to = '']): Import => ({ from, to: target(from, to), kind: 'dynamic' }),
  ),
])
const inner = imports.filter(({ to }) => to.endsWith('.ts'))
const outer = imports.filter(({ to }) => !to.endsWith('.ts') && !to.startsWith('node:'))
const packageOf = (to: string) => to.split('/', to.startsWith('@') ? 2 : 1).join('/')
const show = (list: readonly Import[]) => list.map(({ from, to, kind }) => `${from} → ${to} (${kind})`)

/** What each part of lib may import besides itself. Files at the root, and two exceptions, are parts of their own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  core: ['contracts'],
  adapters: ['core', 'contracts'],
  testing: ['core', 'contracts'],
  protocol: ['core', 'contracts'],
  'options/defaults.ts': ['adapters', 'protocol', 'core', 'contracts'],
  options: ['protocol', 'core', 'contracts'],
  'compose.ts': ['options/defaults.ts', 'options', 'protocol', 'core', 'contracts'],
  'userRoutes.ts': ['protocol', 'core', 'contracts'],
  doctor: ['protocol', 'core', 'contracts'],
  'backchannel.ts': ['compose.ts', 'doctor', 'protocol', 'core', 'contracts'],
  'doctor/cli.ts': ['backchannel.ts', 'doctor', 'core', 'contracts'],
  'router.ts': ['backchannel.ts', 'userRoutes.ts', 'protocol', 'core', 'contracts'],
  authlete: ['backchannel.ts', 'protocol', 'core', 'contracts'],
  oidcProvider: [
    ...['backchannel.ts', 'userRoutes.ts', 'doctor', 'compose.ts', 'options/defaults.ts', 'options'],
    ...['protocol', 'core', 'contracts'],
  ],
  'index.ts': ['router.ts', 'backchannel.ts', 'doctor', 'adapters', 'protocol', 'core', 'contracts'],
}
const partOf = (file: string): string => (file in mayImport ? file : (file.split('/')[0] ?? file))

/** A folder of protocol imports only those before it. */
const steps = ['limits', 'client', 'authorization', 'token', 'notification', 'approval', 'notice', 'request']

/** The packages that each part may use, types included. */
const packages: Readonly<Record<string, readonly string[]>> = {
  contracts: ['express'],
  core: ['express', 'undici', 'zod'],
  protocol: ['cookie', 'express', 'jose', 'rate-limiter-flexible', 'zod'],
  adapters: ['bullmq', 'express', 'qrcode'],
  options: ['zod'],
  authlete: ['express', 'zod'],
  oidcProvider: ['express'],
  'backchannel.ts': ['express'],
  'router.ts': ['express'],
  'userRoutes.ts': ['express'],
}

/** Entries of their own, whose weight the root import does not carry. */
const entries = Object.entries(
  (JSON.parse(read('package.json')) as { exports: Record<string, string | { default: string }> }).exports,
).flatMap(([name, target]) =>
  name === '.' || typeof target === 'string' ? [] : [target.default.replace('./dist/', '').replace(/js$/, 'ts')],
)

describe('the house', () => {
  it('has imports to look at', () => {
    expect(inner.length).to.be.greaterThan(300)
    expect(inner.filter(({ to }) => !texts.has(to)).map(({ to }) => to)).to.deep.equal([])
  })

  it('has imports in one direction only, of values and of types', () => {
    const wrong = inner.filter(({ from, to }) => {
      const [a, b] = [partOf(from), partOf(to)]
      return a !== b && mayImport[a]?.includes(b) !== true
    })
    expect(show(wrong)).to.deep.equal([])
  })

  it('has the steps of the protocol in one order', () => {
    const rankOf = (file: string) => steps.indexOf(file.split('/')[1] ?? '')
    const own = files.filter((file) => file.startsWith('protocol/'))
    expect(own.filter((file) => rankOf(file) < 0)).to.deep.equal([])
    const wrong = inner.filter(({ from, to }) => own.includes(from) && own.includes(to) && rankOf(to) > rankOf(from))
    expect(show(wrong)).to.deep.equal([])
  })

  it('has no cycles, of types neither', () => {
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
      if (done.has(file)) return
      for (const { to } of inner.filter(({ from }) => from === file)) visit(to, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
  })

  it('has no barrel inside, and nothing inside imports the public one', () => {
    expect(files.filter((file) => file.endsWith('/index.ts'))).to.deep.equal(['testing/index.ts'])
    expect(show(inner.filter(({ to }) => to === 'index.ts' || to === 'testing/index.ts'))).to.deep.equal([])
  })

  it('uses each package where it belongs', () => {
    expect(
      show(outer.filter(({ from, to }) => packages[partOf(from)]?.includes(packageOf(to)) !== true)),
    ).to.deep.equal([])
  })

  it('loads no optional peer before it is used', () => {
    const { peerDependenciesMeta } = JSON.parse(read('package.json')) as { peerDependenciesMeta: object }
    const optional = Object.keys(peerDependenciesMeta)
    expect(optional).to.include.members(['bullmq', 'nodemailer', 'pg', 'qrcode', 'redis'])
    expect(show(outer.filter(({ to, kind }) => optional.includes(packageOf(to)) && kind === 'value'))).to.deep.equal([])
  })

  it('gives the root import nothing that has an entry of its own', () => {
    const reached = new Set<string>()
    const visit = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const { from, to, kind } of inner) if (from === file && kind !== 'type') visit(to)
    }
    visit('index.ts')
    // qr: the console channel prints one, if the package qrcode is there
    expect(entries.filter((entry) => reached.has(entry))).to.deep.equal(['adapters/channels/qr.ts'])
    const loaded = outer
      .filter(({ from, kind }) => reached.has(from) && kind === 'value')
      .map(({ to }) => packageOf(to))
    const allowed = ['cookie', 'express', 'jose', 'rate-limiter-flexible', 'zod']
    expect([...new Set(loaded)].filter((name) => !allowed.includes(name))).to.deep.equal([])
  })

  it('knows Express by value only where routes are made, and bodies parsed', () => {
    const allowed = ['core/http/respond.ts', 'router.ts', 'authlete/router.ts', 'oidcProvider/feature.ts']
    const known = outer.filter(({ from, to, kind }) => to === 'express' && kind !== 'type' && !allowed.includes(from))
    expect(show(known)).to.deep.equal([])
  })

  it('holds types alone in contracts, and measures the coverage of every file that holds more', () => {
    const typesOnly = files.filter((file) => !hasCode(textOf(file)))
    expect(files.filter((file) => file.startsWith('contracts/') && !typesOnly.includes(file))).to.deep.equal([])
    const { exclude } = JSON.parse(read('.c8rc.json')) as { exclude: readonly string[] }
    expect([...exclude].sort()).to.deep.equal(typesOnly.map((file) => `lib/${file}`))
  })

  it('hands no bags of functions around', () => {
    const bags = files.filter((file) =>
      /\b(?:interface|type) \w*(?:Parts|Deps|Dependencies|Services)\b/.test(textOf(file)),
    )
    expect(bags).to.deep.equal([])
    // what is left of a pattern, or of parameters, is no spread
    const spread =
      /\.\.\.(?:\w+\.)*(?:settings|ctx|context|parts|deps)\b(?![.(:])(?!\s*[}\]]\s*(?:=[^=>]|:))(?!\)\s*(?:\{|=>|:))/
    const spreads = files.flatMap((file) =>
      textOf(file)
        .split('\n')
        .filter((line) => spread.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    )
    expect(spreads).to.deep.equal([])
  })

  // a key that is exported by the object that made it may lock Node 20 up
  it('makes keys in two places only', () => {
    const all = ['lib', 'test', 'examples', 'bench'].flatMap(filesIn)
    const makers = all.filter((name) => /generateKeyPairSync\(/.test(read(name)))
    expect(makers).to.deep.equal(['lib/core/crypto/signingKeys.ts', 'test/helpers/keys.ts'])
  })

  it('is as docs/architecture.md draws it', () => {
    expect(drawnFiles(read('docs/architecture.md'))).to.deep.equal(files)
    const routes = [...read('docs/architecture.md').matchAll(/`lib\/([\w/.-]+\.ts)`/g)].map(([, file = '']) => file)
    expect(routes.length).to.be.greaterThan(10)
    expect(routes.filter((file) => !texts.has(file))).to.deep.equal([])
  })
})

function target(from: string, to: string): string {
  return to.startsWith('.') ? join(dirname(from), to).replaceAll('\\', '/') : to
}

/** Is there anything that is there at run time? */
function hasCode(text: string): boolean {
  return /^(?:export )?(?:default|const|let|class|abstract|function|async|enum|\*|\{)/m.test(text)
}

/** The files in the tree of the document: folders end with a slash, and what is in them is indented by two more. */
function drawnFiles(document: string): string[] {
  const tree = /```text\nlib\/\n([^`]*)```/.exec(document)?.[1] ?? ''
  const path: string[] = []
  const drawn = tree.split('\n').flatMap((line) => {
    const [, indent = '', name = ''] = /^( *)(\S+)/.exec(line) ?? []
    if (name === '') return []
    path.splice(indent.length / 2 - 1)
    if (!name.endsWith('/')) return [[...path, name].join('/')]
    path.push(name.slice(0, -1))
    return []
  })
  return drawn.sort()
}
