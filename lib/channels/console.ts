import type { Channel } from '../contracts.ts'

export function consoleChannel(options: { print?: (text: string) => void } = {}): Channel {
  const print = options.print ?? console.log
  return {
    name: 'console',
    standsIn: true,
    address: (user) => user.sub,
    send: ({ message, link }) => print(`${message} ${link}`),
  }
}
