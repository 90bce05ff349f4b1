import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const lib = fileURLToPath(new URL('../lib', import.meta.url))
const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'))

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const imports: Import[] = files.flatMap((from) =>
  [...readFileSync(join(lib, from), 'utf8').matchAll(/^(?:import|export)\s(type\s)?[^'"]*?\sfrom '([^']+)'/gm)].map(
    ([, typeOnly, to = '']) => ({
      from,
      to: to.startsWith('.') ? relative(lib, join(lib, dirname(from), to)).replaceAll('\\', '/') : to,
      typeOnly: typeOnly !== undefined,
    }),
  ),
)
const inner = imports.filter(({ to }) => to.endsWith('.ts'))
const rooms = ['client', 'request', 'approval', 'token', 'delivery', 'management', 'oidcProvider']
const rim = ['channels', 'stores', 'adapters']
const folderOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : '')
const show = (list: readonly Import[]) => list.map(({ from, to }) => `${from} → ${to}`)

describe('the house', () => {
  it('has imports to look at', () => {
    expect(inner.length).to.be.greaterThan(50)
  })

  it('keeps rooms from importing each other', () => {
    const across = inner.filter(({ from, to }) => {
      const [a, b] = [folderOf(from), folderOf(to)]
      return rooms.includes(a) && rooms.includes(b) && a !== b
    })
    expect(show(across)).to.deep.equal([])
  })

  it('lets the rim know the contracts only', () => {
    const floor = ['contracts.ts', 'record.ts', 'errors.ts', 'secrets.ts', 'events.ts']
    const out = inner.filter(
      ({ from, to }) => rim.includes(folderOf(from)) && folderOf(to) !== folderOf(from) && !floor.includes(to),
    )
    // the one that is no part to plug in, but a roof of its own beside the router
    const door = out.findIndex(({ from, to }) => from === 'adapters/oidc-provider.ts' && to === 'complement.ts')
    out.splice(door, door < 0 ? 0 : 1)
    expect(show(out)).to.deep.equal([])
  })

  it('measures the coverage of every file but those that hold types alone', () => {
    const { exclude } = JSON.parse(readFileSync(join(lib, '../.c8rc.json'), 'utf8')) as { exclude: readonly string[] }
    const withCode = exclude.filter((file) =>
      /^(?:export )?(?:const|let|class|function|async|default|\*|\{)/m.test(
        readFileSync(join(lib, '..', file), 'utf8'),
      ),
    )
    expect(withCode).to.deep.equal([])
  })

  it('has no cycles', () => {
    const next = new Map(files.map((file) => [file, inner.filter((each) => each.from === file).map((each) => each.to)]))
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
      if (done.has(file)) return
      for (const each of next.get(file) ?? []) visit(each, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
  })

  it('has no barrel inside, and nobody inside imports the public one', () => {
    expect(files.filter((file) => file.endsWith('/index.ts'))).to.deep.equal([])
    expect(show(inner.filter(({ to }) => to === 'index.ts'))).to.deep.equal([])
  })

  it('knows Express only where requests and responses are', () => {
    const allowed = /(^|\/)(router|complement|respond|endpoint|page|completion)\.ts$|^(management|adapters)\//
    const known = imports.filter(({ from, to, typeOnly }) => to === 'express' && !typeOnly && !allowed.test(from))
    expect(show(known)).to.deep.equal([])
  })

  it('loads no optional peer when it is imported', () => {
    const peers = ['nodemailer', 'twilio', 'redis', 'ioredis', 'pg', 'qrcode', 'bullmq', 'oidc-provider']
    expect(show(imports.filter(({ to, typeOnly }) => peers.includes(to) && !typeOnly))).to.deep.equal([])
  })

  // a key that is exported by the object that made it may lock Node 20 up
  it('makes keys in two places only', () => {
    const makers = sources('lib', 'test', 'examples', 'bench').filter(([, text]) => /generateKeyPairSync\(/.test(text))
    expect(makers.map(([name]) => name)).to.deep.equal(['lib/core/crypto/signingKeys.ts', 'test/helpers/keys.ts'])
  })
})

/** Every TypeScript file of these folders, by its path, with its text. */
function sources(...folders: string[]): [name: string, text: string][] {
  const root = join(lib, '..')
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name): [string, string] => [join(folder, name), readFileSync(join(root, folder, name), 'utf8')]),
  )
}
