// `npm test`: sets itself up, then runs every check and every test, and adds up what passed.
// Plain JavaScript: it runs before anything is installed.
import { existsSync } from 'node:fs'
import { root, run } from './run/command.mjs'
import { nodeBinary } from './run/node.mjs'
import { npm } from './run/npm.mjs'
import { has, haveServers } from './run/servers.mjs'

const total = { passed: 0, failed: 0, skipped: 0 }
const started = Date.now()
const only = process.argv.slice(2)

/** A step counts as one test, unless it is a mocha run, which counts its own. */
async function step(name, command, args, { env, counted = false } = {}) {
  if (only.length > 0 && !only.includes(name)) return
  console.log(`\n── ${name}`)
  const { code, output } = await run(command, args, env)
  const count = (word) => Number(new RegExp(`^\\s+(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0)
  if (!counted) total[code === 0 ? 'passed' : 'failed'] += 1
  else {
    total.passed += count('passing')
    total.failed += count('failing') || (code === 0 ? 0 : 1)
    total.skipped += count('pending')
  }
}

function skip(name, why) {
  if (only.length > 0 && !only.includes(name)) return
  console.log(`\n── ${name}\nSKIPPED: ${why}`)
  total.skipped += 1
}

if (!existsSync(`${root}/node_modules/mocha`)) {
  console.log('Installing packages …')
  if (!npm('ci')) process.exit(1)
}
const servers = haveServers()
const bin = (name) => `${root}/node_modules/.bin/${name}`
const mocha = `${root}/node_modules/mocha/bin/mocha.js`
const everything = ['test/**/*.test.ts']
const portable = [
  'test/{flows,hosts,core,client,request,approval,token,stores,contracts,spec}/**/*.test.ts',
  'test/*.test.ts',
]

await step('types', bin('tsc'), ['--noEmit'])
await step('lint', bin('biome'), ['check', '.'])
await step('build', 'npm', ['run', '--silent', 'build'])
await step('publint', bin('publint'), ['--strict'])
await step('attw', bin('attw'), ['--pack', '.', '--profile', 'esm-only', '--format', 'ascii'])
await step('tests', process.execPath, [mocha, ...everything], { env: servers, counted: true })
const conformance = ['--import', 'tsx', 'test/conformance/main.ts']
await step('faults', process.execPath, ['--import', 'tsx', 'test/faults/main.ts'], { env: servers })
await step('conformance', process.execPath, conformance)
for (const [store, program] of [
  ['redis', 'redis-server'],
  ['postgres', 'initdb'],
]) {
  const name = `conformance on ${store}`
  const args = [...conformance, '--store', store, '--registration', 'static_client']
  if (!has(program, servers.PATH)) skip(name, `${program} is not installed`)
  else await step(name, process.execPath, args, { env: servers })
}
await step('tests on Express 4', process.execPath, [mocha, ...portable], {
  // mocha starts a process of its own, which only the environment reaches
  env: { ...servers, EXPRESS: '4', NODE_OPTIONS: `--import ${root}test/helpers/express4.mjs` },
  counted: true,
})
for (const version of ['20', '22', '24']) {
  if (process.versions.node.startsWith(`${version}.`)) continue
  const name = `tests on Node ${version}`
  const binary = nodeBinary(version)
  if (binary === undefined) skip(name, `node@${version} could not be installed`)
  else await step(name, binary, [mocha, ...portable], { env: servers, counted: true })
}

if (process.env.CI && total.skipped > 0) {
  console.log('\nNothing may be skipped in CI.')
  total.failed += 1
}
console.log(`\nTook ${Math.round((Date.now() - started) / 1000)} s`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 ? 1 : 0
