import type { Channel } from '../contracts.ts'

/** Sends nothing: the client gets the link in its answer, to show it as a QR code or open it in an app. */
export function linkChannel(): Channel {
  return { name: 'link', returnsLink: true, address: () => '', send: () => {} }
}
