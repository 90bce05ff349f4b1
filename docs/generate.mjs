// `npm run docs`: writes docs/options.md from the comments of the option types. A test checks that it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('../', import.meta.url)
const output = new URL('docs/options.md', root)

/** Files with interfaces, and the interfaces of each in the order they are shown, with their headings. */
const sources = [
  [
    'lib/contracts/options.ts',
    [
      ['BackchannelOptions', 'All options'],
      ['RequestOptions', '`requests`'],
      ['PollingOptions', '`polling`'],
      ['ClientAuthOptions', '`clientAuth`'],
      ['NoticeOptions', '`notices`'],
      ['PageOptions', '`page`'],
      ['ApprovalOptions', '`approval`'],
      ['TokenOptions', '`tokens`'],
      ['TokenLifetimes', '`tokens.lifetimes`'],
      ['DeliveryOptions', '`delivery`'],
      ['OutboundOptions', '`delivery.outbound`'],
      ['LimitOptions', '`limits`'],
      ['InteropOptions', '`interop`'],
      ['Paths', '`paths`'],
    ],
  ],
  ['lib/contracts/clients.ts', [['Clients', '`clients`']]],
  ['lib/contracts/users.ts', [['Users', '`users`']]],
  [
    'lib/contracts/session.ts',
    [
      ['Session', '`session`'],
      ['LoginNeed', '`need` of `session.loginUrl`'],
      ['SessionUser', 'Who is signed in: what `session.current` returns'],
    ],
  ],
  [
    'lib/contracts/page.ts',
    [
      ['Theme', '`page.theme`'],
      ['ThemeColors', 'The colours of a theme'],
    ],
  ],
]

/** Of these, every member may be left out. */
const partial = ['Paths']

/** The lines between `export interface NAME … {` and its closing brace, and the comment before it. */
function interfaceIn(source, name) {
  const lines = source.split('\n')
  const start = lines.findIndex((line) => new RegExp(`^export interface ${name}\\b.*\\{$`).test(line))
  if (start === -1) throw new Error(`there is no interface ${name}`)
  const body = lines.slice(start + 1, lines.indexOf('}', start))
  const before = lines.slice(0, start).join('\n')
  const comment = before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : ''
  return { comment: textOf(comment), members: membersOf(body) }
}

/** A member is indented by two spaces, after its comment; its other lines are indented further, or close it. */
function membersOf(lines) {
  const members = []
  let comment = []
  let isComment = false
  for (const line of lines) {
    if (line.startsWith('  /**')) {
      comment = []
      isComment = true
    }
    const start = /^ {2}(?:readonly )?(\w+)(\??)(.*)$/.exec(line)
    if (isComment) comment.push(line)
    else if (start === null) members.at(-1)?.type.push(line)
    else {
      const [, name, optional, rest] = start
      members.push({ name, optional: optional !== '', text: textOf(comment.join('\n')), type: [rest] })
      comment = []
    }
    if (isComment && line.endsWith('*/')) isComment = false
  }
  return members.map((member) => ({ ...member, type: typeOf(member.type) }))
}

/** `: string` and `(query: Query): Answer`, in one line. */
function typeOf(lines) {
  const parts = lines.map((line) => line.trim()).filter((line) => !/^(\/\*\*|\*)/.test(line))
  const joined = parts.reduce((text, part) => {
    const isOpen = /[{(|,:]$/.test(text) || /^[|})]/.test(part)
    return `${text}${isOpen ? ' ' : '; '}${part}`
  })
  return joined.startsWith(':') ? joined.slice(1).trim().replace(/^\| /, '') : `function ${joined}`
}

/** The sentences of a comment, without its example. */
function textOf(comment) {
  const sentences = comment
    .replace(/^\s*\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .replaceAll(/^\s*\*/gm, '')
  return sentences.split('@example')[0].replaceAll(/\s+/g, ' ').trim()
}

function section(file, name, title) {
  const { comment, members } = interfaceIn(readFileSync(new URL(file, root), 'utf8'), name)
  const rows = members.map(({ name: member, optional, text, type }) => {
    const mark = optional || partial.includes(name) ? '?' : ''
    return `| \`${member}\`${mark} | ${cell(text)} | \`${cell(type)}\` |`
  })
  return `## ${title}\n\n${comment}\n\n| name | what | type |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

function cell(text) {
  return text.replaceAll('|', '\\|')
}

/** The whole of docs/options.md. */
export function optionsDocument() {
  const sections = sources.flatMap(([file, types]) => types.map(([name, title]) => section(file, name, title)))
  const intro =
    'Made from the types by `npm run docs`; do not edit. A name with `?` may be left out. All times are in seconds, ' +
    'unless a sentence says otherwise.'
  return `# Options\n\n${intro}\n\n${sections.join('\n')}`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(output, optionsDocument())
  console.log(`wrote ${fileURLToPath(output).slice(fileURLToPath(root).length)}`)
}
