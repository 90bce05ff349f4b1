import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const runs = 9

/** Prints milliseconds: of the import, of the first router, and of the whole process until then. */
const program = `
const began = performance.now()
const { createBackchannelRouter, linkChannel, memoryStore } = await import('express-ciba')
const imported = performance.now()
createBackchannelRouter({
  issuer: 'http://127.0.0.1:1',
  clients: { find: () => undefined },
  users: { find: () => undefined },
  session: { current: () => undefined, loginUrl: () => '/login' },
  channels: [linkChannel()],
  store: memoryStore(),
  logger: { info() {}, warn() {}, error() {} },
})
const made = performance.now()
console.log(JSON.stringify({ import: imported - began, router: made - imported, process: made }))
`

/** Tells on stderr of every module that is loaded. */
const loader = encodeURIComponent(
  'export function load(url, context, next) { process._rawDebug(url); return next(url, context) }',
)
const telling = encodeURIComponent(`import { register } from 'node:module'; register('data:text/javascript,${loader}')`)

/** How long it takes until requests can be served, and which packages are loaded by then. */
export function measureStartup() {
  const times = Array.from({ length: runs }, () => JSON.parse(run([]).stdout) as Record<string, number>)
  const middle = (name: string) =>
    Math.round(times.map((each) => each[name] ?? 0).sort((a, b) => a - b)[runs >> 1] ?? 0)
  const { stdout, stderr } = run(
    ['--import', `data:text/javascript,${telling}`],
    `
    const { createRequire, Module } = await import('node:module')
    console.log(Object.keys(Module._cache).join('\\n'))`,
  )
  const loaded = `${stdout}\n${stderr}`.matchAll(/node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//g)
  const packages = [...new Set([...loaded].map(([, name]) => name))].sort()
  return {
    'ms to import': middle('import'),
    'ms to make a router': middle('router'),
    'ms since the process began': middle('process'),
    packages,
  }
}

function run(flags: readonly string[], more = '') {
  const args = [...flags, '--input-type=module', '--eval', program + more]
  const done = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (done.status !== 0) throw new Error(done.stderr)
  return done
}
