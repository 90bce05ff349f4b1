import { type ConnectionOptions, connect } from 'node:tls'
import { type AsyncCheck, found } from './catalogue.ts'

/** Which of the probes a host has to stand. */
export interface Probes {
  /** Refuses every TLS 1.2 suite but the four. */
  readonly otherSuites?: boolean
  /** DHE suites leave a mark. */
  readonly dhe?: boolean
}

/** What the server chose in its ServerHello, or how it refused. */
type Hello = { readonly protocol: string | null; readonly suite: string } | { readonly refusal: string }

const ecdhe = ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384']
const dhe = ['DHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-AES256-GCM-SHA384']
const four = [...ecdhe, ...dhe]
const tls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
const refusals = [
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY',
  'ECONNRESET',
]

/** Protocol versions and cipher suites of a host (FAPI 1 Part 1, 7.1; Part 2, 8.5), without a client certificate. */
export async function* tls(url: string, { otherSuites = false, dhe: warnOfDhe = false }: Probes): AsyncCheck {
  const { host } = new URL(url)
  const modern = await hello(url, { minVersion: 'TLSv1.2', ciphers: [...four, ...tls13].join(':') })
  if ('refusal' in modern) return yield found('TLS suites', `${host}: ${modern.refusal}`)

  const old = await hello(url, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })
  if (!('refusal' in old)) yield found('TLS old', `${host} speaks ${old.protocol}`)
  else if (!refusals.includes(old.refusal)) yield found('TLS old', `${host}: ${old.refusal}`)

  const newest = await hello(url, { minVersion: 'TLSv1.3' })
  if ('refusal' in newest) yield found('TLS 1.3', `${host} has no TLS 1.3`)
  else if (modern.protocol !== 'TLSv1.3') yield found('TLS 1.3 first', `${host} prefers ${modern.protocol}`)

  if (otherSuites) {
    const others = `ALL:COMPLEMENTOFALL:${four.map((suite) => `!${suite}`).join(':')}:@SECLEVEL=0`
    const other = await hello(url, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: others })
    if (!('refusal' in other)) yield found('TLS other suite', `${host} takes ${other.suite}`)
  }
  if (warnOfDhe) {
    const slow = await hello(url, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: dhe.join(':') })
    if (!('refusal' in slow)) yield found('TLS DHE', `${host} takes ${slow.suite}`)
  }
}

/** Shakes hands as far as the ServerHello: a server that then misses a client certificate has answered all the same. */
function hello(url: string, options: ConnectionOptions): Promise<Hello> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) || 443, rejectUnauthorized: false, ...options })
    const end = (hello: Hello) => {
      socket.destroy()
      resolve(hello)
    }
    socket.setTimeout(10_000, () => end({ refusal: 'no answer in 10 s' }))
    socket.once('secureConnect', () => end({ protocol: socket.getProtocol(), suite: socket.getCipher().name }))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const chosen = socket.getCipher() as { name: string; version: string } | undefined
      end(
        chosen?.name === undefined
          ? { refusal: error.code ?? error.message }
          : { protocol: socket.getProtocol(), suite: chosen.name },
      )
    })
  })
}
