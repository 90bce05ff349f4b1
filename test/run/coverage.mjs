// `npm run coverage [files]`: what the tests reach of lib/, in every process they start. Ends with 1 below the thresholds of `.c8rc.json`.
// It runs on a Node that reads TypeScript by itself, which keeps every character in its place: see `native.mjs`.
import { spawnSync } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { root } from './command.mjs'
import { nodeBinary } from './node.mjs'
import { haveServers } from './servers.mjs'

const node = nodeBinary('24')
if (node === undefined) {
  console.log('node@24 could not be installed')
  process.exit(1)
}
const files = process.argv.slice(2)
const mocha = [node, 'node_modules/mocha/bin/mocha.js', ...(files.length > 0 ? files : ['test/**/*.test.ts'])]
const { PATH } = haveServers()
const { status } = spawnSync(node, ['node_modules/c8/bin/c8.js', ...mocha], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${PATH}`,
    NODE_OPTIONS: `--import ${new URL('../helpers/native.mjs', import.meta.url)}`,
  },
})
process.exitCode = status ?? 1
