import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'

/** A server that can be killed and started again in its place. */
export interface Server {
  readonly host: string
  readonly port: number
  readonly url: string
  readonly pid: number
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>
  /** Starts it again after `kill`. */
  start(): Promise<void>
  /** Stops it for good and removes what it wrote. */
  close(): Promise<void>
}

export interface ServerParts {
  readonly scheme: string
  readonly user?: string
  readonly folder: string
  readonly as?: { readonly uid?: number; readonly gid?: number }
  command(port: number): readonly string[]
  ready(port: number): Promise<boolean>
}

const running = new Set<{ readonly child: ChildProcess; readonly folder: string }>()
process.once('exit', () => {
  for (const { child, folder } of running) {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Starts a program that listens, and waits until it answers. */
export async function startServer({ scheme, user, folder, as, command, ready }: ServerParts): Promise<Server> {
  const port = await freePort()
  let entry: { readonly child: ChildProcess; readonly folder: string }

  async function start(): Promise<void> {
    // A killed PostgreSQL leaves children that hold its memory a little longer: the first tries may be refused.
    for (const end = Date.now() + 20_000; ; ) {
      const [program = '', ...args] = command(port)
      const child = spawn(program, args, { ...as, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      child.stdout.on('data', (chunk) => {
        said = (said + chunk).slice(-4000)
      })
      child.stderr.on('data', (chunk) => {
        said = (said + chunk).slice(-4000)
      })
      child.once('error', (error) => {
        said += error.message
      })
      entry = { child, folder }
      running.add(entry)
      const up = until(`${scheme} answers`, 15_000, async () => isOver(child) || (await ready(port)))
      await up.catch(() => child.kill('SIGKILL'))
      if (!isOver(child)) return release(child)
      running.delete(entry)
      if (Date.now() > end) throw new Error(`${program} did not start: ${said}`)
    }
  }

  async function kill(): Promise<void> {
    const { child } = entry
    running.delete(entry)
    if (isOver(child)) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.ref()
    child.kill('SIGKILL')
    await gone
  }

  await start()
  return {
    host: '127.0.0.1',
    port,
    url: `${scheme}://${user === undefined ? '' : `${user}@`}127.0.0.1:${port}${user === undefined ? '' : `/${user}`}`,
    get pid() {
      return entry.child.pid ?? 0
    },
    kill,
    start,
    async close() {
      await kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

function isOver(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** A server must not keep the test process alive. */
function release(child: ChildProcess): void {
  child.unref()
  for (const pipe of [child.stdout, child.stderr]) (pipe as unknown as { unref?(): void } | null)?.unref?.()
}

/** A port nobody listens on, with the next one free as well. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await portIfFree(0)
    if (port !== undefined && port < 55_000 && (await portIfFree(port + 1)) !== undefined) return port
  }
}

/** Waits for something to become true. */
export async function until(what: string, ms: number, test: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    if (await test().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited ${ms} ms in vain until ${what}`)
}

async function portIfFree(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  } catch {
    return undefined
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

/** Says something to a server and hears its first answer. */
export function ask(port: number, words: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(words))
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1'))
      socket.destroy()
    })
    socket.once('close', () => reject(new Error('closed')))
  })
}
