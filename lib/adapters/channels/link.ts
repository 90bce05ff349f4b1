import type { Channel } from '../../contracts/channel.ts'

/**
 * Sends nothing: the client gets the link in its answer, to open it in an app or show it as a QR code
 * (`qrSvg`, `qrPng` of `express-ciba/qr`).
 * @example
 * ```ts
 * createBackchannelRouter({ issuer, clients, users, session, channels: [linkChannel()] })
 * ```
 */
export function linkChannel(): Channel {
  return { name: 'link', returnsLink: true, address: () => '', send: () => {} }
}
