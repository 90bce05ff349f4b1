import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('../..', import.meta.url))

const program = (load: string) => `${load}
const app = express()
const router = createBackchannelRouter({
  issuer: 'https://login.example.com',
  clients: () => undefined,
  users: { find: () => undefined },
  session: { current: () => undefined, loginUrl: (returnTo) => '/login?next=' + encodeURIComponent(returnTo) },
  logger: { info() {}, warn() {}, error() {} },
})
app.use(router)
console.log('works', typeof cibaExchange, typeof createCibaFeature, typeof storeContract, router.backchannel.metadata().issuer)
`
const imports = `import express from 'express'
import { createBackchannelRouter } from 'express-ciba'
import { cibaExchange } from 'express-ciba/adapters/oauth2orize'
import { createCibaFeature } from 'express-ciba/adapters/oidc-provider'
import { storeContract } from 'express-ciba/testing'`
const requires = `const express = require('express')
const { createBackchannelRouter } = require('express-ciba')
const { cibaExchange } = require('express-ciba/adapters/oauth2orize')
const { createCibaFeature } = require('express-ciba/adapters/oidc-provider')
const { storeContract } = require('express-ciba/testing')`

describe('the packed tarball, in an empty project', function () {
  this.timeout(120_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'express-ciba-pack-'))
    // staged beside the tree, so that two runs at once do not meet in dist
    const stage = join(folder, 'stage')
    mkdirSync(stage)
    for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'])
      cpSync(join(root, name), join(stage, name))
    execFileSync(join(root, 'node_modules/.bin/tsc'), [
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      join(stage, 'dist'),
    ])
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
      cwd: stage,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
    const target = join(folder, 'node_modules/express-ciba')
    mkdirSync(target, { recursive: true })
    execFileSync('tar', ['xzf', join(folder, tarball), '--strip-components=1', '-C', target])
    // what npm would install beside it, from our own tree: the test needs no network
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name.startsWith('.') || name === 'express-ciba') continue
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    }
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const run = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

  it('holds the built files, the licence and the changelog, and no sources or tests', () => {
    const names = readdirSync(join(folder, 'node_modules/express-ciba')).sort()
    expect(names).to.deep.equal(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'])
  })

  it('works from ESM', () => {
    write('esm.mjs', program(imports))
    expect(run('esm.mjs')).to.equal('works function function function https://login.example.com\n')
  })

  it('works from CommonJS', () => {
    write('cjs.cjs', program(requires))
    expect(run('cjs.cjs')).to.equal('works function function function https://login.example.com\n')
  })

  it('works on Express 4', () => {
    write('four.cjs', program(requires.replace("require('express')", "require('express4')")))
    expect(run('four.cjs')).to.equal('works function function function https://login.example.com\n')
  })

  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    it(`has types for moduleResolution ${moduleResolution}`, () => {
      write('types.mts', `${program(imports)}\nconst wrong: number = router.backchannel\n`)
      const compilerOptions = {
        module,
        moduleResolution,
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        target: 'es2022',
        types: ['node'],
      }
      write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['types.mts'] }))
      let output = ''
      try {
        execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder, encoding: 'utf8' })
      } catch (thrown) {
        output = (thrown as { stdout: string }).stdout
      }
      // the one mistake that was made on purpose, and no other
      expect(output.match(/error TS\d+/g)).to.deep.equal(['error TS2322'])
    })
  }

  it('loads no optional peer', () => {
    cpSync(join(folder, 'esm.mjs'), join(folder, 'peers.mjs'))
    const loaded = run(
      '--input-type=module',
      '-e',
      `import 'express-ciba'; import { createRequire } from 'node:module'
const { cache } = createRequire(process.cwd() + '/x.js')
console.log(Object.keys(cache).filter((file) => /node_modules.(twilio|nodemailer|redis|ioredis|pg|qrcode|bullmq)./.test(file)).length)`,
    )
    expect(loaded).to.equal('0\n')
  })
})
