import { withTimeout } from '../../../core/guards/guard.ts'
import type { Script } from './scripts.ts'

/** The part of a node-redis client that is used (version 5 or 6: single, cluster, sentinel or pool). */
export interface NodeRedisLike {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  withCommandOptions?(options: { timeout: number }): unknown
  readonly isReady?: boolean
  publish?(channel: string, message: string): Promise<unknown>
  duplicate?(): unknown
}

/** The part of an ioredis client that is used (version 5 or 6: single or cluster). */
export interface IoredisLike {
  evalsha(sha: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>
  readonly status?: string
  publish?(channel: string, message: string): Promise<unknown>
  duplicate?(): unknown
  readonly stream?: { readonly writable?: boolean; readonly writableEnded?: boolean } | null
}

/** A client of node-redis or ioredis. */
export type RedisLike = NodeRedisLike | IoredisLike

/** Runs a script on its key. */
export type Run = (script: Script, key: string, ...args: string[]) => Promise<unknown>

/** Scripts up to this length are sent whole: a digest is not much shorter. */
const maxSentWhole = 60

/** @throws TypeError when it is not a client. */
export function requireClient(client: unknown): void {
  const { evalSha, evalsha } = (client ?? {}) as Partial<NodeRedisLike & IoredisLike>
  if (typeof evalSha === 'function' || typeof evalsha === 'function') return
  throw new TypeError(
    'express-ciba: redisStore needs a client of the package "redis" or "ioredis": ' +
      'redisStore(await createClient({ url }).connect()) or redisStore(new Redis(url))',
  )
}

/**
 * Scripts are called by their digest, and sent whole to a server that does not know them: a new one, or one that was
 * restarted.
 */
export function createRun(client: RedisLike, timeoutMs: number): Run {
  const commands = 'evalSha' in client ? nodeRedis(client, timeoutMs) : ioredis(client)
  let wasReady = false

  async function call(script: Script, key: string, args: string[]): Promise<unknown> {
    if (script.text.length <= maxSentWhole) return await commands.evalWhole(script, key, args)
    try {
      return await commands.evalDigest(script, key, args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await commands.evalWhole(script, key, args)
    }
  }

  return async (script, key, ...args) => {
    // While the connection is lost, clients queue commands, and carry them out long after the caller has given up.
    const isReady = commands.isReady()
    if (wasReady && !isReady) throw new Error('Redis is not connected')
    wasReady = isReady
    return await withTimeout(() => call(script, key, args), timeoutMs, 'Redis')
  }
}

/** What the two kinds of clients call differently. */
interface Commands {
  isReady(): boolean
  evalDigest(script: Script, key: string, args: string[]): Promise<unknown>
  evalWhole(script: Script, key: string, args: string[]): Promise<unknown>
}

function nodeRedis(client: NodeRedisLike, timeout: number): Commands {
  // a command that was not sent in time is taken out of the client's queue
  const timed = (client.withCommandOptions?.({ timeout }) ?? client) as NodeRedisLike
  return {
    isReady: () => client.isReady !== false,
    evalDigest: ({ sha }, key, args) => timed.evalSha(sha, { keys: [key], arguments: args }),
    evalWhole: ({ text }, key, args) => timed.eval(text, { keys: [key], arguments: args }),
  }
}

function ioredis(client: IoredisLike): Commands {
  return {
    isReady: () => client.status === undefined || (client.status === 'ready' && isOpen(client.stream)),
    evalDigest: ({ sha }, key, args) => client.evalsha(sha, 1, key, ...args),
    evalWhole: ({ text }, key, args) => client.eval(text, 1, key, ...args),
  }
}

/** The socket may end before the client says so; commands sent in between would be queued. A cluster has no socket. */
function isOpen(stream: IoredisLike['stream']): boolean {
  return stream === undefined || stream === null || (stream.writable !== false && stream.writableEnded !== true)
}
