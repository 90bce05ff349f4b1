import { isIP } from 'node:net'
import { OutboundError } from './outboundError.ts'
import { isPublic } from './publicAddress.ts'

export interface Target {
  readonly origin: string
  readonly path: string
  /** The host may be anywhere, private networks included. */
  readonly allowed: boolean
}

/**
 * A host of the `allow` list, as a URL has it.
 * @throws TypeError when it is no host.
 */
export function readHost(text: string): string {
  const url = URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : undefined
  if (url === undefined || url.origin !== `${url.href.slice(0, -1)}` || text.endsWith('/')) {
    throw new TypeError(
      'express-ciba: option "outbound.allow" must hold hosts such as "pos.intranet" or "10.0.0.5:8443"',
    )
  }
  return url.host
}

/**
 * What a URL leads to, when it may be called at all.
 * Decimal, octal and hexadecimal forms of an address have become dotted ones by the time the URL is parsed.
 * @throws OutboundError
 */
export function targetOf(text: string, allow: ReadonlySet<string>): Target {
  const refuse = (why: string) => new OutboundError('forbidden', `the URL ${why}`)
  if (!URL.canParse(text)) throw refuse('is not valid')
  const url = new URL(text)
  if (url.protocol !== 'https:') throw refuse('is not https')
  if (url.username !== '' || url.password !== '') throw refuse('holds a user name or a password')
  if (text.includes('#')) throw refuse('has a fragment')
  const allowed = allow.has(url.host)
  if (!allowed) {
    if (url.port !== '') throw refuse('has a port other than 443')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isPublic(host)) throw refuse('leads to an address that is not public')
  }
  return { origin: url.origin, path: url.pathname + url.search, allowed }
}
