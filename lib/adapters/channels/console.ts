import type { Channel } from '../../contracts/channel.ts'
import { lineOf } from '../../core/noticeTexts.ts'
import { qrTerminal } from './qr.ts'

/** What `consoleChannel` takes. */
export interface ConsoleChannelOptions {
  /** Defaults to `console.log`. */
  readonly print?: (text: string) => void
  /** Print a QR code as well, where the package `qrcode` is installed? Defaults to yes on a terminal. */
  readonly qr?: boolean
}

/**
 * For development: prints what would have been sent, and stands in for every channel that is not configured.
 * @example
 * ```ts
 * createBackchannelRouter({ issuer, clients, users, session, channels: [consoleChannel()] })
 * ```
 */
export function consoleChannel(options: ConsoleChannelOptions = {}): Channel {
  const { print = console.log, qr = process.stdout.isTTY === true } = options
  return {
    name: 'console',
    standsIn: true,
    address: (user) => user.sub,
    async send(notice) {
      const code = notice.bindingMessage === undefined ? '' : ` (${notice.bindingMessage})`
      const drawing = qr ? await qrTerminal(notice.link) : undefined
      const text = `\n[express-ciba] for ${notice.to}, from ${notice.clientName}${code}:\n${lineOf(notice)}\n`
      print(drawing === undefined ? text : `${text}${drawing}\n`)
    },
  }
}
