// `npm run test:security`: each threat with its countermeasure, its tests and how they went.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { haveServers } from '../run/servers.mjs'
import { namedRows, testFiles, threats } from './rows.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'express-ciba-security-'))
const report = join(folder, 'report.json')
try {
  const files = testFiles().map(({ file }) => file)
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${report}`]
  spawnSync(process.execPath, ['node_modules/mocha/bin/mocha.js', '--grep', 'threats? \\d', ...reporter, ...files], {
    cwd: root,
    env: { ...process.env, ...haveServers() },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const { tests } = JSON.parse(readFileSync(report, 'utf8'))
  const results = tests.map(({ fullTitle, file, err, pending }) => ({
    rows: namedRows(fullTitle),
    title: fullTitle,
    file: file.slice(root.length),
    result: pending ? 'skipped' : Object.keys(err).length > 0 ? 'FAILED' : 'passed',
  }))
  let failed = 0
  for (const { row, threat, countermeasure } of threats) {
    console.log(`\n${row}  ${threat}\n    ${countermeasure}`)
    const mine = results.filter(({ rows }) => rows.includes(row))
    for (const { title, file, result } of mine) console.log(`    ${result}  ${file}: ${title}`)
    const missing = mine.length === 0 && !countermeasure.startsWith('not tested')
    if (missing) console.log('    FAILED  no test is named after this row')
    if (missing || mine.some(({ result }) => result !== 'passed')) failed += 1
  }
  console.log(`\n${threats.length} threats, ${failed} without a passing test`)
  process.exitCode = failed > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true })
}
