import { isIP } from 'node:net'
import type { BackchannelOptions } from '../contracts/options.ts'
import { isPublic } from '../core/outbound/publicAddress.ts'
import { type Finding, pass } from './check.ts'

// RFC 6761, RFC 6762, RFC 8375, RFC 9476 and ICANN's choice for private use
const privateNames = /(^|\.)(local|internal|intranet|lan|home\.arpa|test|invalid|onion|alt)$/
const loopbackName = /(^|\.)localhost$/

/** Can users' phones and clients reach us? Told by the configured URLs alone: there is no look-up and no call. */
export function addresses({
  issuer,
  baseUrl,
  mtlsBaseUrl,
}: Pick<BackchannelOptions, 'issuer' | 'baseUrl' | 'mtlsBaseUrl'>): Finding[] {
  const urls = [...new Set([issuer, baseUrl ?? issuer, mtlsBaseUrl ?? issuer])]
  const wrong = urls.flatMap((url) => {
    const problem = problemOf(new URL(url))
    return problem === undefined ? [] : [{ url, problem }]
  })
  if (wrong.length === 0) return [pass('address', urls.join(', '))]
  const result = process.env.NODE_ENV === 'production' ? 'fail' : 'warn' // what development looks like
  return wrong.map(({ url, problem }) => ({
    check: 'address',
    result,
    detail: `${url} ${problem}`,
    remedy: `Set "${url === issuer ? 'issuer' : url === baseUrl ? 'baseUrl' : 'mtlsBaseUrl'}" to the https URL that users' phones and clients reach`,
  }))
}

function problemOf({ protocol, hostname }: URL): string | undefined {
  if (protocol !== 'https:') return 'is not https'
  const host = hostname.replace(/^\[|\]$|\.$/g, '')
  if (loopbackName.test(host) || host === '::1' || /^127\./.test(host)) return 'is this machine'
  if (isIP(host) !== 0) return isPublic(host) ? undefined : 'is an address of a private network'
  return privateNames.test(host) || !host.includes('.') ? 'is a name of a private network' : undefined
}
