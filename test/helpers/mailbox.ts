import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A message as it came over the wire, and its parts decoded. */
export interface Received {
  readonly raw: string
  /** Header lines, unfolded. */
  readonly headers: readonly string[]
  readonly to: readonly string[]
  readonly text: string
  readonly html: string
}

/**
 * A real SMTP server on loopback that keeps what it is sent.
 * `refuse`: the SMTP answer to a recipient, such as `550 5.1.1 No such user`, or nothing to accept.
 */
export async function startMailbox({ refuse }: { refuse?: (recipient: string) => string | undefined } = {}) {
  const messages: Received[] = []
  const waiting: ((message: Received) => void)[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _session, done) {
      const answer = refuse?.(address)
      if (answer === undefined) return done()
      done(Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) }))
    },
    onAuth(_auth, _session, done) {
      done(Object.assign(new Error('Invalid username or password'), { responseCode: 535 }))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const message = read(Buffer.concat(chunks).toString(), session.envelope.rcptTo)
        const taker = waiting.shift()
        if (taker === undefined) messages.push(message)
        else taker(message)
        done()
      })
    },
  })
  server.on('error', () => {}) // clients that hang up
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    messages,
    /** The next message; waits for it. */
    next: (): Promise<Received> => {
      const message = messages.shift()
      return message === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(message)
    },
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

function read(raw: string, recipients: readonly { address: string }[]): Received {
  const [head = ''] = raw.split('\r\n\r\n', 1)
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1]
  const parts = boundary === undefined ? [raw] : raw.split(`--${boundary}`)
  const part = (type: string) => decode(parts.find((each) => each.includes(`Content-Type: ${type};`)) ?? '')
  return {
    raw,
    headers: head.replace(/\r\n[ \t]+/g, ' ').split('\r\n'),
    to: recipients.map(({ address }) => address),
    text: part('text/plain'),
    html: part('text/html'),
  }
}

function decode(part: string): string {
  const body = part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, '')
  if (/Content-Transfer-Encoding: base64/i.test(part)) return Buffer.from(body, 'base64').toString()
  if (!/Content-Transfer-Encoding: quoted-printable/i.test(part)) return body
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
