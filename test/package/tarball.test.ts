import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every entry of the package, and all that it exports at run time. */
const entries: Readonly<Record<string, readonly string[]>> = {
  'express-ciba': [
    ...['BackchannelError', 'ChannelError', 'cibaGrantType', 'consoleChannel', 'createBackchannel'],
    ...['createBackchannelRouter', 'emailChannel', 'errorStatus', 'inProcessQueue', 'linkChannel', 'loginHintTokens'],
    ...['memoryStore', 'readClient', 'readTwilioStatus', 'smsChannel', 'smsFailure'],
  ],
  'express-ciba/stores/redis': ['redisStore'],
  'express-ciba/stores/postgres': ['postgresStore'],
  'express-ciba/stores/keyv': ['keyvStore'],
  'express-ciba/queues/bullmq': ['bullmqQueue'],
  'express-ciba/authlete': ['createManagementRouter'],
  'express-ciba/adapters/oauth2orize': ['cibaExchange'],
  'express-ciba/adapters/node-oauth': ['cibaGrant'],
  'express-ciba/adapters/oidc-provider': ['createCibaFeature'],
  'express-ciba/adapters/opentelemetry': ['openTelemetry'],
  'express-ciba/qr': ['qrPng', 'qrSvg', 'qrTerminal'],
  'express-ciba/testing': ['storeContract'],
}

/** All that an engine has, as `Backchannel` documents it. */
const documented = [
  ...['approve', 'block', 'cancel', 'checkRegistration', 'close', 'deliveries', 'deliveries.failed'],
  ...['deliveries.replay', 'deny', 'doctor', 'fail', 'find', 'grant', 'grantFor', 'jwks', 'mergeMetadata', 'metadata'],
  ...['resend', 'unblock'],
]

/** Optional peers, and packages that only some hosts need. */
const heavy =
  /node_modules\/(@?keyv|bullmq|pg|redis|@redis|ioredis|undici|qrcode|twilio|nodemailer|oidc-provider|@opentelemetry)\d?\//

const program = (load: string) => `${load}
const app = express()
const router = createBackchannelRouter({
  issuer: 'https://login.example.com',
  clients: { find: () => undefined },
  users: { find: () => undefined },
  session: {
    current: () => undefined,
    loginUrl: ({ returnTo }) => '/login?next=' + encodeURIComponent(returnTo),
  },
  logger: { info() {}, warn() {}, error() {} },
})
app.use(router)
const others = [bullmqQueue, cibaExchange, cibaGrant, createCibaFeature, createManagementRouter, keyvStore, openTelemetry,
  postgresStore, qrSvg, redisStore, storeContract]
console.log(others.filter((each) => typeof each === 'function').length, router.backchannel.metadata().issuer)
`
const works = '11 https://login.example.com\n'
const names: readonly (readonly [name: string, from: string])[] = [
  ['createBackchannelRouter', 'express-ciba'],
  ['redisStore', 'express-ciba/stores/redis'],
  ['postgresStore', 'express-ciba/stores/postgres'],
  ['keyvStore', 'express-ciba/stores/keyv'],
  ['bullmqQueue', 'express-ciba/queues/bullmq'],
  ['createManagementRouter', 'express-ciba/authlete'],
  ['cibaExchange', 'express-ciba/adapters/oauth2orize'],
  ['cibaGrant', 'express-ciba/adapters/node-oauth'],
  ['createCibaFeature', 'express-ciba/adapters/oidc-provider'],
  ['openTelemetry', 'express-ciba/adapters/opentelemetry'],
  ['qrSvg', 'express-ciba/qr'],
  ['storeContract', 'express-ciba/testing'],
]
const imports = `import express from 'express'\n${names.map(([name, from]) => `import { ${name} } from '${from}'`).join('\n')}`
const requires = `const express = require('express')\n${names.map(([name, from]) => `const { ${name} } = require('${from}')`).join('\n')}`

describe('the packed tarball, in an empty project', function () {
  this.timeout(120_000)
  let folder: string
  let installed: string
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
    installed = join(folder, 'node_modules/express-ciba')
    mkdirSync(installed, { recursive: true })
    execFileSync('tar', ['xzf', join(folder, tarball), '--strip-components=1', '-C', installed])
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
  const manifest = (): { dependencies: object; exports: Record<string, string | { default: string }> } =>
    JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  /** Runs a program and reads the JSON that it prints. */
  const answerOf = (name: string, text: string, ...flags: string[]) => {
    write(name, text)
    return JSON.parse(run(...flags, name))
  }

  it('holds the built files, the licence and the changelog, and no sources or tests', () => {
    const held = readdirSync(installed).sort()
    expect(held).to.deep.equal(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json'])
    const kinds = new Set(filesIn(installed, 'dist').map((name) => /\.(?:js|d\.ts)(?:\.map)?$/.exec(name)?.[0]))
    expect([...kinds].sort()).to.deep.equal(['.d.ts', '.d.ts.map', '.js', '.js.map'])
  })

  it('works from ESM', () => {
    write('esm.mjs', program(imports))
    expect(run('esm.mjs')).to.equal(works)
  })

  it('works from CommonJS', () => {
    write('cjs.cjs', program(requires))
    expect(run('cjs.cjs')).to.equal(works)
  })

  it('works on Express 4', () => {
    write('four.cjs', program(requires.replace("require('express')", "require('express4')")))
    expect(run('four.cjs')).to.equal(works)
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
      expect(output.match(/error TS\d+/g), output).to.deep.equal(['error TS2322'])
    })
  }

  it('publishes these entries, and each exports what is documented and nothing else', () => {
    const published = Object.keys(manifest().exports).map((name) => join('express-ciba', name))
    expect(published).to.have.members([...Object.keys(entries), 'express-ciba/package.json'])
    const exported = answerOf(
      'entries.mjs',
      `const all = {}
for (const name of ${JSON.stringify(Object.keys(entries))}) all[name] = Object.keys(await import(name)).sort()
console.log(JSON.stringify(all))`,
    )
    expect(exported).to.deep.equal(entries)
    expect(run('-p', "require('express-ciba/package.json').name")).to.equal('express-ciba\n')
  })

  it('loads every entry with its dependencies and Express alone', () => {
    const bare = mkdtempSync(join(tmpdir(), 'express-ciba-bare-'))
    try {
      cpSync(installed, join(bare, 'node_modules/express-ciba'), { recursive: true })
      for (const name of ['express', ...Object.keys(manifest().dependencies)]) {
        symlinkSync(join(root, 'node_modules', name), join(bare, 'node_modules', name))
      }
      const loads = Object.keys(entries).map((name) => `await import('${name}')\n`)
      writeFileSync(join(bare, 'entries.mjs'), `${loads.join('')}console.log('loaded')`)
      expect(run(join(bare, 'entries.mjs'))).to.equal('loaded\n')
    } finally {
      rmSync(bare, { recursive: true, force: true })
    }
  })

  it('refuses every path inside, to import and to require', () => {
    const inside = filesIn(installed, 'dist').filter((name) => /\.(js|d\.ts)$/.test(name))
    expect(inside.length).to.be.greaterThan(300)
    const published = Object.keys(entries)
    const paths = inside
      .flatMap((name) => [name, name.replace(/\.js$/, ''), name.slice('dist/'.length)])
      .map((name) => `express-ciba/${name}`)
      .filter((name) => !published.includes(name))
    write('paths.json', JSON.stringify(paths))
    const codes = answerOf(
      'inside.mjs',
      `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const codes = {}
for (const path of require('./paths.json')) {
  const imported = await import(path).then(() => 'loaded', ({ code }) => code)
  let required = 'loaded'
  try {
    require(path)
  } catch ({ code }) {
    required = code
  }
  for (const code of [imported, required]) codes[code] = (codes[code] ?? 0) + 1
}
console.log(JSON.stringify(codes))`,
    )
    expect(codes).to.deep.equal({ ERR_PACKAGE_PATH_NOT_EXPORTED: 2 * paths.length })
  })

  it('loads no optional peer, and nothing that has an entry of its own, with a server that is polled', () => {
    write(
      'hooks.mjs',
      `import { appendFileSync } from 'node:fs'
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  appendFileSync(${JSON.stringify(join(folder, 'loaded.txt'))}, found.url + '\\n')
  return found
}`,
    )
    write('record.mjs', "import { register } from 'node:module'\nregister('./hooks.mjs', import.meta.url)")
    const required: string[] = answerOf(
      'root.mjs',
      `import { createRequire } from 'node:module'
import express from 'express'
import { createBackchannelRouter } from 'express-ciba'
express().use(createBackchannelRouter({
  issuer: 'https://login.example.com',
  clients: { find: () => undefined },
  users: { find: () => undefined },
  logger: { info() {}, warn() {}, error() {} },
}))
console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)))`,
      '--import',
      './record.mjs',
    )
    const imported = readFileSync(join(folder, 'loaded.txt'), 'utf8').split('\n')
    const loaded = [...new Set([...imported, ...required])].map((name) => name.replaceAll('\\', '/'))
    // what is looked for would be seen
    for (const there of ['express/index.js', 'jose/', 'zod/', 'express-ciba/dist/index.js']) {
      expect(
        loaded.some((name) => name.includes(`node_modules/${there}`)),
        there,
      ).to.equal(true)
    }
    expect(loaded.filter((name) => heavy.test(name))).to.deep.equal([])
    const others = Object.entries(manifest().exports)
      // the console channel prints a QR code, if the package qrcode is there
      .filter(([name]) => !['.', './qr'].includes(name))
      .flatMap(([, file]) => (typeof file === 'string' ? [] : [`express-ciba/${file.default.slice('./'.length)}`]))
    expect(others).to.have.length(10)
    expect(loaded.filter((name) => others.some((file) => name.endsWith(file)))).to.deep.equal([])
  })

  it('hands out an engine with what is documented, and no way to what is inside', () => {
    const seen = answerOf('walk.mjs', readFileSync(new URL('./walk.mjs', import.meta.url), 'utf8'))
    expect(seen.members.sort()).to.deep.equal([...documented].sort())
    expect(seen.isFrozen).to.deep.equal({ engine: true, deliveries: true })
    // the walk goes as far as the handlers of routes
    expect(seen.reachesHandlers).to.equal(true)
    expect(seen.leaked).to.deep.equal([])
    expect(seen.contexts).to.deep.equal([])
  })
})

/** Files below a folder of the package. */
function filesIn(installed: string, folder: string): string[] {
  return readdirSync(join(installed, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((name) => statSync(join(installed, name)).isFile())
    .sort()
}
