// The servers that tests start by themselves: found on PATH, else installed where the machine allows it.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const needed = [
  { program: 'redis-server', package: 'redis-server' },
  { program: 'initdb', package: 'postgresql' },
  { program: 'chromium', package: 'chromium' },
  { program: 'openssl', package: 'openssl' },
]

/** Debian keeps PostgreSQL's programs off the PATH. */
function postgresFolders() {
  try {
    return readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
  } catch {
    return []
  }
}

export function has(program, path) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { env: { ...process.env, PATH: path } }).status === 0
}

/** @returns {Record<string, string>} the environment in which the tests find every server that is there */
export function haveServers() {
  const path = () => [process.env.PATH, ...postgresFolders()].join(':')
  const missing = needed.filter(({ program }) => !has(program, path()))
  if (missing.length > 0 && process.getuid?.() === 0 && has('apt-get', path())) {
    const packages = missing.map((each) => each.package)
    console.log(`Installing ${packages.join(', ')} …`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' })
    // Debian starts a database cluster of its own on installation; the tests want only the programs
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  for (const { program } of needed) {
    if (!has(program, path())) console.log(`MISSING: ${program}. The tests that need it are skipped.`)
  }
  return { PATH: path() }
}
