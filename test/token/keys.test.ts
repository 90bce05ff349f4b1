import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { makeKeys } from '../../lib/core/crypto/signingKeys.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

describe('keys made at start', () => {
  it('are private, one for each engine', () => {
    const [one, two] = [makeKeys().keys[0], makeKeys().keys[0]]
    expect(one).to.include({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }).and.have.property('d')
    expect(one?.d).to.not.equal(two?.d)
  })

  // Node 20 waits for itself for ever when it collects what made a key while that key is exported
  it('are there, whenever garbage is collected', async function () {
    this.timeout(60_000)
    const program = `
      const { makeKeys } = await import('./lib/core/crypto/signingKeys.ts')
      for (let made = 0; made < 6000; made += 1) makeKeys()`
    const flags = ['--gc-global', '--max-semi-space-size=1', '--import', 'tsx', '--input-type=module']
    await run(process.execPath, [...flags, '--eval', program], { cwd: root, timeout: 50_000, killSignal: 'SIGKILL' })
  })
})
