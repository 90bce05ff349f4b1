// `npm run docs`: writes docs/options.md from the comments of the option types. A test checks that it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('../', import.meta.url)
const output = new URL('docs/options.md', root)

/** Types in the order they are shown. */
const types = [
  ['BackchannelOptions', 'lib/options/schema.ts', 'What `createBackchannelRouter` and `createBackchannel` take'],
  ['Users', 'lib/contracts/contracts.ts', '`users`'],
  ['Session', 'lib/contracts/contracts.ts', '`session`'],
  ['LoginNeed', 'lib/contracts/contracts.ts', 'The second argument of `session.loginUrl`'],
  ['NoticeOptions', 'lib/options/schema.ts', '`notices`'],
  ['LongPollOptions', 'lib/protocol/token/longPoll.ts', '`longPoll`'],
  ['Limits', 'lib/protocol/limits/prompts.ts', '`limits`'],
  ['TokenOptions', 'lib/options/schema.ts', '`tokens`'],
  ['PageOptions', 'lib/protocol/approval/options.ts', '`page`'],
  ['Theme', 'lib/protocol/approval/view/style.ts', '`page.theme`'],
  ['ThemeColors', 'lib/protocol/approval/view/style.ts', 'The colours of a theme'],
  ['OutboundOptions', 'lib/core/outbound/outbound.ts', '`outbound`'],
  ['Paths', 'lib/options/paths.ts', '`paths`'],
]

/** One member of an interface: its comment, its name and its type, as they are written by the formatter. */
const member =
  /^ {2}(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2})?(?:readonly )?(\w+)(\??)(\(.*|: (?:.|\n(?: {4}| {2}[|}]))*)$/gm

function membersOf(type, file) {
  const source = readFileSync(new URL(file, root), 'utf8')
  const start = source.search(new RegExp(`^export interface ${type}\\b.*\\{$`, 'm'))
  if (start === -1) throw new Error(`${file} has no interface ${type}`)
  const body = source.slice(source.indexOf('\n', start) + 1, source.indexOf('\n}', start) + 1)
  return [...body.matchAll(member)].map(([, comment = '', name, optional, rest]) => ({
    name,
    type: textOf(rest.startsWith('(') ? `function ${rest}` : rest.slice(2)),
    required: optional === '',
    text: textOf(comment.replaceAll(/^\s*\*/gm, '')),
  }))
}

function textOf(text) {
  return text.replaceAll(/\s+/g, ' ').trim()
}

function cell(text) {
  return text.replaceAll('|', '\\|')
}

/** The whole of docs/options.md. */
export function optionsDocument() {
  const parts = types.map(([type, file, title]) => {
    const rows = membersOf(type, file).map(
      ({ name, type, required, text }) =>
        `| \`${name}\`${required && type !== 'Limits' ? '' : '?'} | ${cell(text)} | \`${cell(type)}\` |`,
    )
    return `## ${title}\n\n| name | what | type |\n| --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `# Options\n\nMade from the types by \`npm run docs\`; do not edit. A name with \`?\` may be left out.\n\n${parts.join('\n')}`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(output, optionsDocument())
  console.log(`wrote ${fileURLToPath(output).slice(fileURLToPath(root).length)}`)
}
