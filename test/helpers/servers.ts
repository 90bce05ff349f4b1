/**
 * Real servers for tests, on free loopback ports and in temporary folders of their own:
 *
 * ```ts
 * before(async function () {
 *   skipWithout(this, 'redis-server')          // skips the suite, and says so, where Redis is not installed
 *   redis = await startRedis()
 * })
 * after(() => redis?.close())
 * ```
 *
 * `kill()` ends a server as `kill -9` does and `start()` brings it back on the same port with what it had on disk.
 * Servers that a test forgets end with the test process.
 */
import { execFileSync } from 'node:child_process'
import { accessSync, chownSync, constants, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, type Server, startServer, until } from './serverProcess.ts'

export { type Server, until } from './serverProcess.ts'

type Program = 'redis-server' | 'postgres'

/** Where a program is: `REDIS_SERVER` or `POSTGRES` in the environment, `PATH`, or where Debian keeps PostgreSQL. */
export function locate(program: Program): string | undefined {
  const named = process.env[program === 'postgres' ? 'POSTGRES' : 'REDIS_SERVER']
  const folders = [...(process.env.PATH ?? '').split(':'), ...debianPostgres()]
  return [named, ...folders.map((folder) => join(folder, program))].find((file) => file && isProgram(file))
}

/** Skips the suite of a `before` hook, loudly, where a server is not installed. */
export function skipWithout(context: Mocha.Context, program: Program): void {
  if (locate(program) !== undefined) return
  console.log(
    `SKIPPED: ${program} is neither on PATH nor named by the environment: ${context.test?.parent?.fullTitle()}`,
  )
  context.skip()
}

export interface RedisOptions {
  /** Keep every write in an append-only file, synced as Redis' own `appendfsync` says. Defaults to keeping nothing. */
  readonly appendfsync?: 'always' | 'everysec'
  readonly cluster?: boolean
}

export function startRedis({ appendfsync, cluster }: RedisOptions = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'ciba-redis-'))
  return startServer({
    scheme: 'redis',
    folder,
    command: (port) => [
      programOrThrow('redis-server'),
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...(appendfsync === undefined ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', appendfsync]),
      ...(cluster ? ['--cluster-enabled', 'yes', '--cluster-port', String(port + 1)] : []),
    ],
    ready: async (port) => (await ask(port, 'PING\r\n')).startsWith('+PONG'),
  })
}

/** A Redis Cluster of three masters that share the slots. */
export async function startRedisCluster(): Promise<{ readonly nodes: readonly Server[]; close(): Promise<void> }> {
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis({ cluster: true })))
  const share = Math.ceil(16384 / nodes.length)
  for (const [n, { port }] of nodes.entries()) {
    await ask(port, `CLUSTER ADDSLOTSRANGE ${n * share} ${Math.min(16383, (n + 1) * share - 1)}\r\n`)
    await ask(port, `CLUSTER SET-CONFIG-EPOCH ${n + 1}\r\n`)
    if (n > 0) await ask(port, `CLUSTER MEET 127.0.0.1 ${nodes[0]?.port} ${(nodes[0]?.port ?? 0) + 1}\r\n`)
  }
  await until('the cluster agrees', 20_000, async () => {
    const states = await Promise.all(nodes.map(({ port }) => ask(port, 'CLUSTER INFO\r\n')))
    return states.every((text) => text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:3'))
  })
  return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) }
}

export interface PostgresOptions {
  /** Settings for `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A PostgreSQL with one empty database; `url` signs in as its superuser. Does not run as root: then as `postgres`. */
export async function startPostgres({ settings = {} }: PostgresOptions = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'ciba-postgres-'))
  const as = process.getuid?.() === 0 ? ids('postgres', 'nobody') : {}
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid ?? as.uid)
  const data = join(folder, 'data')
  const postgres = programOrThrow('postgres')
  const flags = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale', 'C', '--no-sync']
  execFileSync(join(postgres, '..', 'initdb'), flags, { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '200', ...settings }
  return startServer({
    scheme: 'postgres',
    user: 'postgres',
    folder,
    as,
    command: (port) => [
      postgres,
      ...['-D', data, '-p', String(port)],
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    ready: acceptsSessions,
  })
}

function programOrThrow(program: Program): string {
  const file = locate(program)
  if (file === undefined) throw new Error(`${program} is not installed`)
  return file
}

function debianPostgres(): string[] {
  try {
    return readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
  } catch {
    return []
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Numbers of the first of these users that exists. */
function ids(...names: string[]): { readonly uid?: number; readonly gid?: number } {
  const number = (flag: string, name: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }).toString())
  for (const name of names) {
    try {
      return { uid: number('-u', name), gid: number('-g', name) }
    } catch {}
  }
  return {}
}

/** PostgreSQL listens before it lets anybody in: `R` is its answer to a welcome guest. */
async function acceptsSessions(port: number): Promise<boolean> {
  const words = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0\0', 'latin1')
  words.writeUInt32BE(words.length, 0)
  return (await ask(port, words)).startsWith('R')
}
