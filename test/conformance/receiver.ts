import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Notification } from './checks/notification.ts'
import { createGuests, type Guests } from './guests.ts'

/** A call that nobody waited for. */
export interface Stray {
  readonly path: string
  readonly call: Notification
}

export interface Receiver {
  /** Base of the URLs; a configuration's own is `/test/a/<alias>` below it. */
  readonly url: string
  readonly strays: readonly Stray[]
  readonly expect: Guests['expect']
  close(): Promise<void>
}

export interface ReceiverOptions {
  readonly cert: string
  readonly key: string
  readonly port?: number
  /** The URL it is reached at from outside. Defaults to where it listens, on loopback. */
  readonly publicUrl?: string | undefined
}

const endpointPath = '/ciba-notification-endpoint'
const wrongPath = '/invalid-ciba-notification-endpoint'

/** The notification endpoint of every client, over HTTPS. */
export async function startReceiver({ cert, key, port = 0, publicUrl }: ReceiverOptions): Promise<Receiver> {
  const guests = createGuests()
  const strays: Stray[] = []
  const sockets = new Set<Socket>()

  const server = createServer({ cert, key }, async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const socket = req.socket as TLSSocket
    const call: Notification = {
      contentType: req.headers['content-type'],
      authorization: req.headers.authorization,
      body: Buffer.concat(chunks).toString(),
      protocol: socket.getProtocol(),
      suite: socket.getCipher().name,
    }
    const { pathname, searchParams } = new URL(req.url ?? '', 'https://localhost')
    const guest = guests.hostOf(call, Number(searchParams.get('guest')))
    if (guest === undefined) strays.push({ path: pathname, call })
    else if (pathname.endsWith(wrongPath)) guest.followed.push(call)
    else guest.arrive(call)
    const { status, body, redirect } = guest?.reaction ?? { status: 204 }
    if (redirect) res.setHeader('location', `${pathname.replace(endpointPath, wrongPath)}?guest=${guest?.id}`)
    if (body !== undefined) res.setHeader('content-type', 'text/plain')
    res.writeHead(status).end(body)
  })
  server.on('connection', (socket: Socket) => sockets.add(socket.on('close', () => sockets.delete(socket))))
  server.on('tlsClientError', () => {})
  const host = publicUrl === undefined ? '127.0.0.1' : undefined
  await new Promise<void>((resolve, reject) => server.listen(port, host, resolve).once('error', reject))

  return {
    url: publicUrl ?? `https://localhost:${(server.address() as AddressInfo).port}`,
    strays,
    expect: guests.expect,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Where a configuration's clients are notified. */
export function notificationEndpoint(base: string, alias: string): string {
  return `${base}/test/a/${alias}${endpointPath}`
}
