// `npm run trace`: which files one call goes through. Every function of the built package reports its entry, and for each call
// the files, the folders, the changes from one file to another, and the returns to a file that it had left are counted.
// `npm run trace -- --list request` prints the way of one call, entry by entry.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parse } from 'acorn'
import { full } from 'acorn-walk'

const root = fileURLToPath(new URL('..', import.meta.url))
const listed = process.argv.includes('--list') ? process.argv.at(-1) : undefined

/** The source of a module in which every function calls `globalThis.entered` first. */
function reporting(source, file) {
  const inserts = []
  full(parse(source, { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
    if (!/^(Function(Declaration|Expression)|ArrowFunctionExpression)$/.test(node.type)) return
    const report = `globalThis.entered?.(${JSON.stringify(file)}, ${JSON.stringify(node.id?.name ?? '')})`
    const { body } = node
    if (body.type === 'BlockStatement') inserts.push([body.start + 1, `${report};`])
    else inserts.push([body.start, `(${report}, (`], [body.end, '))'])
  })
  let text = source
  for (const [at, insert] of inserts.sort(([a], [b]) => b - a)) text = text.slice(0, at) + insert + text.slice(at)
  return text
}

const folder = mkdtempSync(join(tmpdir(), 'express-ciba-trace-'))
cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
for (const name of readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.js')) continue
  const path = join(folder, 'dist', name)
  writeFileSync(path, reporting(readFileSync(path, 'utf8'), name.replace(/\.js$/, '.ts')))
}

const express = (await import('express')).default
const { createBackchannelRouter } = await import(pathToFileURL(join(folder, 'dist/index.js')).href)
const secret = 'till-secret-0123456789-0123456789'
const till = {
  client_id: 'till',
  client_secret: secret,
  grant_types: ['urn:openid:params:grant-type:ciba'],
  backchannel_token_delivery_mode: 'poll',
}
let link = ''
let sent = () => {}
const router = createBackchannelRouter({
  issuer: 'http://127.0.0.1:1',
  clients: { find: () => till },
  users: { find: () => ({ sub: 'alice', phone_number: '+15550100' }) },
  session: { current: () => ({ sub: 'alice', authTime: Math.floor(Date.now() / 1000) }), loginUrl: () => '/login' },
  channels: [
    {
      name: 'sms',
      address: (user) => user.phone_number,
      send: (notice) => {
        link = notice.link
        sent()
      },
    },
  ],
  logger: { info() {}, warn() {}, error() {} },
})
const app = express().use(router)
const server = app.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
const headers = { authorization: `Basic ${Buffer.from(`till:${secret}`).toString('base64')}` }
const post = (path, form, more) =>
  fetch(origin + path, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { ...headers, ...more },
    redirect: 'manual',
  })

/** @returns what the call answered, and every function that was entered until then */
async function traced(call) {
  const entries = []
  globalThis.entered = (file, name) => void entries.push({ file, name })
  const answer = await call()
  globalThis.entered = undefined
  return { answer, entries }
}

async function ask() {
  const notified = new Promise((resolve) => {
    sent = resolve
  })
  const answer = await post('/oidc/backchannel', {
    scope: 'openid',
    login_hint: '+15550100',
    binding_message: 'Till 4',
  })
  const body = await answer.json()
  if (answer.status !== 200) throw new Error(`not accepted: ${JSON.stringify(body)}`)
  await notified
  return body
}

const poll = (auth_req_id) =>
  post('/oidc/token', { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id }).then((answer) => answer.json())

async function visit() {
  const opened = await fetch(`${origin}${new URL(link).pathname}${new URL(link).search}`, { redirect: 'manual' })
  const cookie = opened.headers.get('set-cookie').split(';')[0]
  const page = new URL(opened.headers.get('location'), origin)
  return { cookie, page: origin + page.pathname }
}

const rows = []
function keep(call, { entries }) {
  let changes = 0
  let returns = 0
  const seen = new Set()
  let last
  for (const { file } of entries) {
    if (file !== last) {
      changes += 1
      if (seen.has(file)) returns += 1
    }
    seen.add(file)
    last = file
  }
  const folders = new Set([...seen].map((file) => dirname(file)))
  rows.push({ call, files: seen.size, folders: folders.size, changes, returns, entries: entries.length })
  if (listed === call) for (const { file, name } of entries) console.log(`${file} ${name}`)
}

// once without looking, so that what is loaded or made at first use is there
await ask()
const request = await traced(ask)
keep('request', request)
keep('poll', await traced(() => poll(request.answer.auth_req_id)))
const { cookie, page } = await visit()
const shown = await traced(async () => {
  const response = await fetch(page, { headers: { cookie } })
  return { html: await response.text(), cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie }
})
keep('page', shown)
const csrf = /name="csrf" value="([^"]+)"/.exec(shown.answer.html)[1]
const decision = { csrf, action: 'approve' }
keep(
  'approve',
  await traced(() => post(new URL(page).pathname, decision, { cookie: shown.answer.cookie, authorization: '' })),
)
const tokens = await traced(() => poll(request.answer.auth_req_id))
if (tokens.answer.access_token === undefined) throw new Error(`no tokens: ${JSON.stringify(tokens.answer)}`)
keep('tokens', tokens)
console.table(rows)

await router.backchannel.close()
server.closeAllConnections()
server.close()
rmSync(folder, { recursive: true })
