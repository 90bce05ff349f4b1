import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A server in a process of its own. */
export interface ServerProcess<Described> {
  /** What it said of itself: its first line of JSON. */
  readonly described: Described
  /** Servers end with their standard input. Resolves when it has ended. */
  close(): Promise<void>
}

/** Starts a server of the bench, which has the project as it is published. `DEBUG` shows what it complains about. */
export async function startServer<Described>(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess<Described>> {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: 'bench/tsconfig.json', NODE_ENV: 'production', ...env },
    stdio: ['pipe', 'pipe', process.env.DEBUG ? 'inherit' : 'ignore'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    return {
      described: JSON.parse(line),
      async close() {
        child.stdin?.end()
        await ended
      },
    }
  }
  throw new Error(`${args.join(' ')} did not start`)
}
