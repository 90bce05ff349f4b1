import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import {
  type BackchannelOptions,
  type Channel,
  createBackchannel,
  createBackchannelRouter,
  type DoctorOptions,
  type Finding,
  memoryStore,
} from 'express-ciba'
import { privateJwk } from './helpers/tokens.ts'

const quiet = { info() {}, warn() {}, error() {} }
const options: BackchannelOptions = {
  issuer: 'https://login.example.com',
  clients: {
    find: ({ clientId: id }) =>
      id === 'till'
        ? { client_id: 'till', client_secret: 'x'.repeat(32), backchannel_token_delivery_mode: 'poll' }
        : id === 'broken'
          ? { client_id: 'broken' }
          : id === 'web'
            ? { client_id: 'web', client_secret: 'x'.repeat(32) }
            : undefined,
  },
  users: { find: () => undefined },
  session: { current: () => undefined, loginUrl: ({ returnTo: to }) => `/login?next=${to}` },
  logger: quiet,
}

async function results(
  changes: Partial<BackchannelOptions> = {},
  clientIds: string[] = [],
  app?: DoctorOptions['app'],
): Promise<Record<string, Finding>> {
  const findings = await createBackchannel({ ...options, ...changes }).doctor({
    clientIds,
    ...(app === undefined ? {} : { app }),
  })
  return Object.fromEntries(findings.map((each) => [each.check, each]))
}

/** An app with our router where the options say, or elsewhere. */
function appWith({ mount = '/', before, ...changes }: AppOptions = {}) {
  const app = express()
  if (before !== undefined) app.use(before)
  app.use(mount, createBackchannelRouter({ ...options, ...changes }))
  return app
}

interface AppOptions extends Partial<BackchannelOptions> {
  readonly mount?: string
  readonly before?: RequestHandler
}

describe('the doctor', () => {
  it('passes what is fine and warns of what is for development', async () => {
    const found = await results()
    expect(found.issuer?.result).to.equal('pass')
    for (const check of ['keys', 'secret', 'store', 'channel console']) expect(found[check]?.result).to.equal('warn')
    expect(found.session?.detail).to.equal('sign-in at /login')
  })

  it('passes keys and a secret that are given', async () => {
    const keys = { keys: [privateJwk('P-256')] }
    const found = await results({ keys, secret: 'x'.repeat(32) })
    expect(found.keys).to.include({ result: 'pass', detail: '1 given' })
    expect(found.secret?.result).to.equal('pass')
  })

  it('warns where there is no way to ask users, and fails a sign-in that is a script', async () => {
    const { session: _, ...headless } = options
    const found = await createBackchannel(headless).doctor()
    for (const name of ['channels', 'session'])
      expect(found.find(({ check }) => check === name)?.result, name).to.equal('warn')
    const session = { current: () => undefined, loginUrl: () => 'javascript:alert(1)' }
    expect((await results({ session })).session).to.include({ result: 'fail', detail: 'loginUrl returns a script' })
  })

  it('runs the checks of the channels', async () => {
    const channel = (name: string, verify: () => void): Channel => ({ name, address: () => '', send() {}, verify })
    const broken = () => {
      throw new Error('connect ECONNREFUSED')
    }
    const found = await results({ channels: [channel('email', () => {}), channel('sms', broken)] })
    expect(found['channel email']?.result).to.equal('pass')
    expect(found['channel sms']).to.include({ result: 'fail', detail: 'connect ECONNREFUSED' })
  })

  it('finds a store with two winners, and one that is down', async () => {
    const memory = memoryStore()
    const two = { ...memory, move: async (id: string) => ({ moved: true, record: (await memory.find(id)) as never }) }
    expect((await results({ store: two })).store).to.include({
      result: 'fail',
      detail: 'of ten racing moves 10 won; one should',
    })
    const forgetful = { ...memory, find: async () => undefined }
    expect((await results({ store: forgetful })).store?.detail).to.equal('a record that was added is not found')
    const down = { ...memory, add: () => Promise.reject(new Error('down')) }
    expect((await results({ store: down })).store?.result).to.equal('fail')
  })

  it('checks the clients it is told of', async () => {
    const found = await results({}, ['till', 'broken', 'nobody'])
    expect(found['client till']).to.include({ result: 'pass', detail: 'client_secret_basic, poll' })
    expect(found['client broken']?.detail).to.match(/client_secret is needed/)
    expect(found['client nobody']?.detail).to.equal('is not registered')
  })

  it('finds clients that are registered for what is not offered', async () => {
    const about = async (id: string, changes: Partial<BackchannelOptions> = {}) =>
      (await results(changes, [id]))[`client ${id}`]?.detail
    expect(await about('web')).to.equal('has no backchannel_token_delivery_mode')
    expect(await about('till', { delivery: { modes: ['ping'] } })).to.equal(
      'registered for poll, which this server does not offer',
    )
    expect(await about('till', { clientAuth: { methods: ['private_key_jwt'] } })).to.equal(
      'registered for client_secret_basic, which this server does not offer',
    )
  })

  it('looks whether users and clients can reach the issuer, by its name alone', async () => {
    const resultOf = async (issuer: string) => (await results({ issuer })).address?.result
    for (const issuer of ['https://login.example.com', 'https://login.example.com:8443/op', 'https://8.8.8.8'])
      expect([issuer, await resultOf(issuer)]).to.deep.equal([issuer, 'pass'])
    for (const issuer of [
      'http://127.0.0.1:3000',
      'https://localhost',
      'https://login.localhost',
      'https://127.0.0.1',
      'https://10.0.0.5',
      'https://[::1]',
      'https://[fd00::1]',
      'https://login',
      'https://login.local',
      'https://login.corp.internal',
    ])
      expect([issuer, await resultOf(issuer)]).to.deep.equal([issuer, 'warn'])
  })

  it('fails for such an issuer in production, and says what to do', async () => {
    const was = process.env.NODE_ENV
    process.env.NODE_ENV = 'production'
    try {
      const { address } = await results({ issuer: 'https://localhost' })
      expect(address).to.include({ result: 'fail', detail: 'https://localhost is this machine' })
      expect(address?.remedy).to.match(/issuer/)
      expect((await results({ mtlsBaseUrl: 'https://mtls.local' })).address?.remedy).to.match(/^Set "mtlsBaseUrl"/)
      const own = await results({ baseUrl: 'http://127.0.0.1:3000' })
      expect(own.address?.detail).to.equal('http://127.0.0.1:3000 is not https')
    } finally {
      if (was === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = was
    }
  })

  it('finds the router of an app where the options say, and nowhere else', async () => {
    expect((await results({}, [], appWith())).mount).to.include({ result: 'pass' })
    const issuer = 'https://login.example.com/op'
    expect((await results({ issuer }, [], appWith({ issuer, mount: '/op' }))).mount?.result).to.equal('pass')
    const elsewhere = (await results({ issuer }, [], appWith({ issuer }))).mount
    expect(elsewhere).to.include({ result: 'fail', detail: 'GET /op/oidc/backchannel answers 404' })
    expect(elsewhere?.remedy).to.include("app.use('/op', router)").and.include('baseUrl')
    expect(await results()).not.to.include.keys('mount', 'proxy')
  })

  it('finds out what stands before the router', async () => {
    const toHttps: RequestHandler = (req, res, next) =>
      req.secure ? next() : res.redirect(308, `https://${req.headers.host}${req.url}`)
    const app = appWith({ before: toHttps })
    const { mount } = await results({}, [], app)
    expect(mount).to.include({
      result: 'fail',
      detail: 'GET /oidc/backchannel answers 308 to https://login.example.com',
    })
    expect(mount?.remedy).to.match(/trust proxy/)
    app.set('trust proxy', 1)
    expect((await results({}, [], app)).mount?.result).to.equal('pass')
    const hangs = appWith({ before: () => {} })
    expect((await results({}, [], hangs)).mount?.detail).to.match(/does not answer/)
  }).timeout(15_000)

  it('compares the discovery document with ours', async () => {
    const own: RequestHandler = (req, res, next) =>
      req.path === '/.well-known/openid-configuration' ? res.json({ issuer: options.issuer }) : next()
    const found = await results({}, [], appWith({ before: own }))
    expect(found.discovery).to.include({ result: 'fail' })
    expect(found.discovery?.remedy).to.match(/backchannel\.metadata\(\)/)
    expect((await results({}, [], appWith())).discovery?.result).to.equal('pass')
    for (const text of ['<html>', '7', undefined]) {
      const before: RequestHandler = (req, res, next) => {
        if (!req.path.startsWith('/.well-known/')) return next()
        if (text === undefined) req.socket.destroy()
        else res.send(text)
      }
      expect((await results({}, [], appWith({ before }))).discovery?.detail).to.match(
        /answers (200|nothing), and no JSON/,
      )
    }
  })

  it('finds discovery that is none', async () => {
    for (const [status, body] of [
      [404, 'nothing here'],
      [200, '<html>'],
      [200, '"text"'],
    ] as const) {
      const own: RequestHandler = (req, res, next) =>
        req.path === '/.well-known/openid-configuration' ? res.status(status).end(body) : next()
      expect((await results({}, [], appWith({ before: own }))).discovery).to.include({
        result: 'fail',
        detail: `GET /.well-known/openid-configuration answers ${status}, and no JSON object`,
      })
    }
  })

  it('warns of a clock of its own', async () => {
    const { clock } = await results({ clock: () => Date.now() - 60_000 })
    expect(clock).to.include({ result: 'warn', detail: '60 s from that of the machine' })
  })

  it('looks at trust proxy', async () => {
    const proxy = async (value: unknown, changes: Partial<BackchannelOptions> = {}) => {
      const app = appWith(changes)
      app.set('trust proxy', value)
      return (await results(changes, [], app)).proxy
    }
    expect(await proxy(true)).to.include({
      result: 'fail',
      detail: 'trust proxy is true: callers choose their address',
    })
    expect((await proxy(true))?.remedy).to.match(/app\.set\('trust proxy', 1\)/)
    expect((await proxy(false))?.result).to.equal('warn')
    for (const value of [1, 'loopback', ['10.0.0.0/8'], () => false])
      expect((await proxy(value))?.result).to.equal('pass')
    expect((await proxy(false, { issuer: 'http://127.0.0.1:3000' }))?.result).to.equal('pass')
  })

  it('warns of counters that processes on one store do not share', async () => {
    const { limits } = await results({ store: memoryStore() })
    expect(limits?.result).to.equal('warn')
    expect(limits?.remedy).to.match(/limits\.counter/)
    expect((await results()).limits).to.equal(undefined)
  })

  it('is a program with an exit code', async function () {
    this.timeout(20_000)
    const folder = mkdtempSync(join(tmpdir(), 'express-ciba-doctor-'))
    const bin = fileURLToPath(new URL('../lib/doctor/cli.ts', import.meta.url))
    const start = (args: string[]) =>
      new Promise<{ code: number; output: string }>((resolve) => {
        const child = execFile(process.execPath, ['--import', 'tsx', bin, ...args], (_error, output) =>
          resolve({ code: child.exitCode ?? -1, output }),
        )
      })
    const run = (module: string, ...ids: string[]) => {
      writeFileSync(join(folder, 'options.mjs'), module)
      return start(['doctor', join(folder, 'options.mjs'), ...ids])
    }
    const module =
      "export default { issuer: 'https://login.example.com', clients: { find() {} }, users: { find() {} } }"
    const good = await run(module)
    const made = await run(module.replace('export default {', 'export default async () => ({').concat(')'))
    expect(made.code).to.equal(0)
    expect([good.code, /0 failed/.test(good.output)]).to.deep.equal([0, true])
    expect((await run(module, 'nobody')).code).to.equal(1)
    const withApp = `import express from '${pathToFileURL(createRequire(import.meta.url).resolve('express'))}'
export const app = express()
app.set('trust proxy', true)
${module}`
    const proxied = await run(`${withApp}\nsetInterval(() => {}, 1000) // a pool, a server: what keeps a process alive`)
    expect(proxied.code).to.equal(1)
    expect(proxied.output)
      .to.match(/FAIL {2}mount/)
      .and.match(/FAIL {2}proxy/)
    const slip = await run(module.replace('issuer', 'isuer'))
    expect([slip.code, /option "issuer" is missing/.test(slip.output)]).to.deep.equal([1, true])
    expect((await start([])).code).to.equal(2)
    rmSync(folder, { recursive: true })
  })
})
