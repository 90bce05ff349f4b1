import { within } from '../deadline.ts'
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

export type RedisLike = NodeRedisLike | IoredisLike

/** Runs a script on its key. */
export type Run = (script: Script, key: string, ...args: string[]) => Promise<unknown>

/** Up to this length a digest would save nothing. */
const shortText = 60

/** Scripts are called by their digest, and sent whole to a server that does not know them: a new one, or one restarted. */
export function createRun(client: RedisLike, timeoutMs: number): Run {
  const ways = 'evalSha' in client ? nodeRedis(client, timeoutMs) : ioredis(client)
  let wasReady = false

  return async (script, key, ...args) => {
    // While the connection is lost, clients queue commands, to be carried out long after the caller has given up.
    const ready = ways.ready()
    if (wasReady && !ready) throw new Error('Redis is not connected')
    wasReady = ready
    return await within(timeoutMs, 'Redis', async () => {
      if (script.text.length <= shortText) return await ways.whole(script, key, args)
      try {
        return await ways.bySha(script, key, args)
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
        return await ways.whole(script, key, args)
      }
    })
  }
}

interface Ways {
  ready(): boolean
  bySha(script: Script, key: string, args: string[]): Promise<unknown>
  whole(script: Script, key: string, args: string[]): Promise<unknown>
}

function nodeRedis(client: NodeRedisLike, timeout: number): Ways {
  // a command that could not be sent in time leaves the queue
  const timed = (client.withCommandOptions?.({ timeout }) ?? client) as NodeRedisLike
  return {
    ready: () => client.isReady !== false,
    bySha: ({ sha }, key, args) => timed.evalSha(sha, { keys: [key], arguments: args }),
    whole: ({ text }, key, args) => timed.eval(text, { keys: [key], arguments: args }),
  }
}

function ioredis(client: IoredisLike): Ways {
  return {
    ready: () => client.status === undefined || (client.status === 'ready' && isOpen(client.stream)),
    bySha: ({ sha }, key, args) => client.evalsha(sha, 1, key, ...args),
    whole: ({ text }, key, args) => client.eval(text, 1, key, ...args),
  }
}

/** The socket may have ended before the client says so; what is sent in between would be queued. A cluster has none. */
function isOpen(stream: IoredisLike['stream']): boolean {
  return stream === undefined || stream === null || (stream.writable !== false && stream.writableEnded !== true)
}
