import type { Channel } from '../../contracts/contracts.ts'

/**
 * Sends nothing: the client gets the link in its answer, to open it in an app or show it as a QR code
 * (`qrSvg`, `qrPng`).
 */
export function linkChannel(): Channel {
  return { name: 'link', returnsLink: true, address: () => '', send: () => {} }
}
