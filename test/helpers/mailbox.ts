import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A real SMTP server on loopback that keeps what it is sent. */
export async function startMailbox() {
  const messages: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      let text = ''
      stream.on('data', (chunk: Buffer) => {
        text += chunk
      })
      stream.on('end', () => {
        messages.push(text)
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    messages,
    /** The next message, decoded enough to find a link in. */
    async next(): Promise<string> {
      for (let tries = 0; messages.length === 0 && tries < 100; tries++)
        await new Promise((resolve) => setTimeout(resolve, 20))
      const message = messages.shift()
      if (message === undefined) throw new Error('no message arrived')
      return message
        .replace(/=\r\n/g, '')
        .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    },
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}
