import type { Channel } from '../contracts.ts'
import { lineOf } from './notice.ts'

/** For development: prints what would have been sent, and stands in for every channel that is not configured. */
export function consoleChannel({ print = console.log }: { readonly print?: (text: string) => void } = {}): Channel {
  return {
    name: 'console',
    standsIn: true,
    address: (user) => user.sub,
    send(notice) {
      const code = notice.bindingMessage === undefined ? '' : ` (${notice.bindingMessage})`
      print(`\n[express-ciba] for ${notice.to}, from ${notice.clientName}${code}:\n${lineOf(notice)}\n`)
    },
  }
}
