import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A piece of TypeScript in a document. */
export interface Block {
  readonly document: string
  /** Number of its first line. */
  readonly line: number
  /** What the comment before it says about it, if there is one: `<!-- ts: members of BackchannelOptions -->`. */
  readonly note: string | undefined
  readonly code: string
}

export function blocksIn(document: string, text: string): readonly Block[] {
  const fences = /^(?:<!-- ts: (.*) -->\n+)?```ts\n([\s\S]*?)^```$/gm
  return [...text.matchAll(fences)].map((match) => ({
    document,
    line: text.slice(0, match.index + match[0].indexOf('```ts\n')).split('\n').length + 1,
    note: match[1],
    code: match[2] ?? '',
  }))
}

const typeNamed = (type: string) => `import('express-ciba').${type}`

/** What may stand in a note, and what it makes of a block that is no program. */
const wrappers: readonly (readonly [note: RegExp, wrap: (type: string) => readonly [before: string, after: string]])[] =
  [
    [/^a (\w+)$/, (type) => [`const it: ${typeNamed(type)} =`, '']],
    [/^members of (\w+)$/, (type) => [`const it: Partial<${typeNamed(type)}> = {`, '}']],
    // both ways: a member that is missing or too much is seen
    [
      /^describes (\w+)$/,
      (type) => ['', `export const both: [${typeNamed(type)}, ${type}] = [{} as ${type}, {} as ${typeNamed(type)}]`],
    ],
  ]

/** The block as a module whose lines have the numbers of the document. */
function moduleOf({ document, line, note, code }: Block): string {
  const [before, after] = note === undefined ? ['', ''] : wrap(note, document)
  return `${'\n'.repeat(line - 2)}${before}\n${code}${after}\nexport {}\n`
}

function wrap(note: string, document: string): readonly [string, string] {
  for (const [pattern, wrapper] of wrappers) {
    const [, type] = pattern.exec(note) ?? []
    if (type !== undefined) return wrapper(type)
  }
  throw new Error(`${document}: unknown note "ts: ${note}"`)
}

/** Type-checks all blocks in one run, against the sources. Gives the compiler's messages, with the lines of the documents. */
export async function check(blocks: readonly Block[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'express-ciba-docs-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const tsconfig = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(root, 'node_modules/@types')], types: ['node'] },
      files: [join(root, 'test/docs/prelude.d.ts'), ...blocks.map(nameOf)],
      include: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const block of blocks) writeFileSync(join(folder, nameOf(block)), moduleOf(block))
    const output = await new Promise<string>((resolve) => {
      const tsc = join(root, 'node_modules/.bin/tsc')
      execFile(tsc, ['-p', folder, '--pretty', 'false'], { cwd: folder }, (_error, stdout) => resolve(stdout))
    })
    return output
      .split('\n')
      .filter((line) => /error TS\d+/.test(line))
      .map((line) =>
        line.replace(/^(\S+?)\.md-\d+\.ts\((\d+),\d+\)/, (_, name, at) => `${name.replace('_', '/')}.md:${at}`),
      )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function nameOf({ document, line }: Block): string {
  return `${document.replace('/', '_')}-${line}.ts`
}
