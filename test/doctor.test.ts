import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { type BackchannelOptions, type Channel, createBackchannel, type Finding, memoryStore } from 'express-ciba'

const quiet = { info() {}, warn() {}, error() {} }
const options: BackchannelOptions = {
  issuer: 'https://login.example.com',
  clients: (id) =>
    id === 'till'
      ? { client_id: 'till', client_secret: 'x'.repeat(32), backchannel_token_delivery_mode: 'poll' }
      : id === 'broken'
        ? { client_id: 'broken' }
        : undefined,
  users: { find: () => undefined },
  session: { current: () => undefined, loginUrl: (to) => `/login?next=${to}` },
  logger: quiet,
}

async function results(
  changes: Partial<BackchannelOptions> = {},
  clientIds: string[] = [],
): Promise<Record<string, Finding>> {
  const findings = await createBackchannel({ ...options, ...changes }).doctor({ clientIds })
  return Object.fromEntries(findings.map((each) => [each.check, each]))
}

describe('the doctor', () => {
  it('passes what is fine and warns of what is for development', async () => {
    const found = await results()
    expect(found.issuer?.result).to.equal('pass')
    for (const check of ['keys', 'secret', 'store', 'channel console']) expect(found[check]?.result).to.equal('warn')
    expect(found.session?.detail).to.equal('sign-in at /login')
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
    const down = { ...memory, add: () => Promise.reject(new Error('down')) }
    expect((await results({ store: down })).store?.result).to.equal('fail')
  })

  it('checks the clients it is told of', async () => {
    const found = await results({}, ['till', 'broken', 'nobody'])
    expect(found['client till']).to.include({ result: 'pass', detail: 'client_secret_basic, poll' })
    expect(found['client broken']?.detail).to.match(/client_secret is needed/)
    expect(found['client nobody']?.detail).to.equal('is not registered')
  })

  it('is a program with an exit code', async function () {
    this.timeout(20_000)
    const folder = mkdtempSync(join(tmpdir(), 'express-ciba-doctor-'))
    const run = (module: string, ...ids: string[]) => {
      writeFileSync(join(folder, 'options.mjs'), module)
      const bin = fileURLToPath(new URL('../lib/bin.ts', import.meta.url))
      return new Promise<{ code: number; output: string }>((resolve) => {
        const child = execFile(
          process.execPath,
          ['--import', 'tsx', bin, 'doctor', join(folder, 'options.mjs'), ...ids],
          (_error, output) => resolve({ code: child.exitCode ?? -1, output }),
        )
      })
    }
    const module =
      "export default { issuer: 'https://login.example.com', clients: () => undefined, users: { find() {} } }"
    const good = await run(module)
    expect([good.code, /0 failed/.test(good.output)]).to.deep.equal([0, true])
    expect((await run(module, 'nobody')).code).to.equal(1)
    const slip = await run(module.replace('issuer', 'isuer'))
    expect([slip.code, /option "issuer" is missing/.test(slip.output)]).to.deep.equal([1, true])
    rmSync(folder, { recursive: true })
  })
})
