// The rows of docs/security.md, and the tests that are named after them. Plain JavaScript, for `main.mjs`.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export const threats = [
  ...readFileSync(join(root, 'docs/security.md'), 'utf8').matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|/gm),
].map(([, row, threat, countermeasure]) => ({ row: Number(row), threat, countermeasure }))

/** Rows that a title names: `threat 9`, `threats 38, 41`. */
export function namedRows(text) {
  return [...text.matchAll(/\bthreats? (\d+(?:, \d+)*)/g)].flatMap(([, rows]) => rows.split(', ').map(Number))
}

/** The test files that name a row. */
export function testFiles() {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => ({ file: `test/${name}`, text: readFileSync(join(root, 'test', name), 'utf8') }))
    .filter(({ text }) => namedRows(text).length > 0)
}
