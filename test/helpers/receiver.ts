import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type Certificate, makeCertificate } from './certificates.ts'

/** What a receiver does with a call. A number answers with that status. */
export type Reaction = number | ((res: ServerResponse, req: IncomingMessage) => void)

export const reactions = {
  withBody: (res: ServerResponse) => res.end('thank you'),
  redirect: (status: number, to: string) => (res: ServerResponse) => res.writeHead(status, { location: to }).end(),
  wait: (seconds: number) => (res: ServerResponse) => res.writeHead(429, { 'retry-after': String(seconds) }).end(),
  hang: () => {},
  reset: (_res: ServerResponse, req: IncomingMessage) => void req.socket.destroy(),
  /** Says 200, then a byte every 50 ms for ever. */
  drip(res: ServerResponse) {
    res.writeHead(200)
    const timer = setInterval(() => res.write('.'), 50)
    res.on('close', () => clearInterval(timer))
  },
  /** Says 200, then as much as the other side will take. */
  endless(res: ServerResponse) {
    res.writeHead(200)
    const chunk = Buffer.alloc(65_536, '.')
    const more = () => {
      while (!res.destroyed && res.write(chunk));
    }
    res.on('drain', more)
    more()
  },
} satisfies Record<string, unknown>

/** A call that came in. */
export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Epoch milliseconds. */
  readonly at: number
  /** Subject of the client certificate, if one was shown. */
  readonly certificate: string | undefined
}

/** A client's notification endpoint: a real HTTPS server on a free loopback port. */
export interface Receiver {
  readonly port: number
  /** `https://localhost:port/cb` */
  readonly url: string
  /** `localhost:port`, for `allow`. */
  readonly host: string
  readonly calls: Received[]
  /** TCP connections so far. */
  connections(): number
  /** The next reactions, in order; the last one stays. */
  react(...reactions: Reaction[]): void
  /** Resolves when this many calls have come in. */
  received(count: number, withinMs?: number): Promise<readonly Received[]>
  close(): Promise<void>
}

/** Certificate of every receiver, for `localhost` and two made-up names. Made once per run. */
export const receiverCertificate = selfSigned(
  'receiver',
  'DNS:localhost,DNS:client.example,DNS:other.example,IP:127.0.0.1,IP:::1',
)

export async function startReceiver(options: ServerOptions = {}, ...first: Reaction[]): Promise<Receiver> {
  let queue: Reaction[] = first.length > 0 ? first : [204]
  const calls: Received[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer({ ...receiverCertificate, ...options }, async (req, res) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of req) chunks.push(chunk)
    } catch {
      return
    }
    const subject = (req.socket as { getPeerCertificate?: () => { subject?: { CN?: string } } }).getPeerCertificate?.()
    const { method, url, headers } = req
    const body = Buffer.concat(chunks).toString()
    calls.push({ method, url, headers, body, at: Date.now(), certificate: subject?.subject?.CN })
    const reaction = (queue.length > 1 ? queue.shift() : queue[0]) ?? 204
    if (typeof reaction === 'number') res.writeHead(reaction).end()
    else reaction(res, req)
    for (const each of waiting) each()
  })
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `https://localhost:${port}/cb`,
    host: `localhost:${port}`,
    calls,
    connections: () => connections,
    react(...next) {
      queue = next
    },
    async received(count, withinMs = 5000) {
      const deadline = Date.now() + withinMs
      while (calls.length < count) {
        const left = deadline - Date.now()
        if (left <= 0) throw new Error(`only ${calls.length} of ${count} calls came in ${withinMs} ms`)
        await new Promise<void>((resolve) => {
          const done = () => {
            clearTimeout(timer)
            waiting.delete(done)
            resolve()
          }
          const timer = setTimeout(done, left)
          waiting.add(done)
        })
      }
      return calls
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A certificate that is its own authority. */
export function selfSigned(name: string, altNames: string): Certificate {
  return makeCertificate({ subject: `/CN=${name}`, altNames })
}
