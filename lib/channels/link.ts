import type { Channel } from '../contracts.ts'

export function linkChannel(): Channel {
  return { name: 'link', returnsLink: true, address: () => '', send: () => {} }
}
