import { lookup as systemLookup } from 'node:dns/promises'
import * as tls from 'node:tls'
import type { Agent, Dispatcher } from 'undici'
import { parseJson } from '../json.ts'
import { asOutboundError, OutboundError } from './outboundError.ts'
import { isPublic } from './publicAddress.ts'
import { readHost, targetOf } from './target.ts'

/** An address that a name resolves to. */
export interface Address {
  readonly address: string
  readonly family: number
}

export interface OutboundOptions {
  /**
   * Hosts that may be anywhere, private networks included: `host` for its port 443, `host:port` for another one.
   * Defaults to none.
   */
  readonly allow?: readonly string[] | undefined
  /** Certificate authorities (PEM) trusted besides the usual ones. */
  readonly ca?: string | readonly string[] | undefined
  /** Shown to receivers that ask for a certificate. PEM. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined
  /** Resolves a name to all of its addresses. Defaults to the system's resolver. */
  readonly lookup?: ((hostname: string) => Promise<readonly Address[]>) | undefined
  /** Milliseconds for name, connection and TLS handshake together. Defaults to 3000. */
  readonly connectMs?: number | undefined
  /** Milliseconds for the whole exchange. Defaults to 10000. */
  readonly totalMs?: number | undefined
}

/** What a receiver said. Its body is nobody's business. */
export interface Posted {
  readonly status: number
  /** Milliseconds of `Retry-After`, when there is one. */
  readonly retryAfterMs?: number
}

/** Calls to URLs that clients chose. */
export interface Outbound {
  /** @throws OutboundError when there was no answer. Every status is an answer. */
  post(
    url: string,
    call: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  ): Promise<Posted>
  /** @throws OutboundError when the answer is not a 200 with JSON of at most `maxBytes` (65536). */
  getJson(url: string, limits?: { readonly maxBytes?: number }): Promise<unknown>
  close(): Promise<void>
}

/**
 * The guard around every outgoing call: https only, TLS verified, no redirects, and the address checked when the socket
 * connects, so that a name which resolves differently the second time gains nothing. Each call has its own connection.
 */
export function createOutbound(options: OutboundOptions = {}): Outbound {
  const { connectMs = 3000, totalMs = 10_000, lookup = systemAddresses, clientCertificate } = options
  const allow = new Set((options.allow ?? []).map(readHost))
  const secureContext = tls.createSecureContext({
    ...(options.ca === undefined ? {} : { ca: [...usualAuthorities(), options.ca].flat() }),
    ...clientCertificate,
  })
  let agents: ReturnType<typeof makeAgents> | undefined

  /** The HTTP client is a quarter of what there is to load, and a server that is only polled never needs it. */
  async function makeAgents(): Promise<Record<'guarded' | 'trusting', Agent>> {
    const { Agent, buildConnector } = await import('undici')
    const agentWith = (check: (address: string) => boolean) =>
      new Agent({
        connect: buildConnector({ timeout: connectMs, secureContext, lookup: checkedLookup(lookup, check) }),
        pipelining: 0,
      })
    return { guarded: agentWith(isPublic), trusting: agentWith(() => true) }
  }

  async function send(
    url: string,
    call: { method: 'GET' | 'POST'; headers: Readonly<Record<string, string>>; body?: string },
  ): Promise<Dispatcher.ResponseData> {
    const target = targetOf(url, allow)
    agents ??= makeAgents()
    const { guarded, trusting } = await agents
    try {
      return await (target.allowed ? trusting : guarded).request({
        ...call,
        origin: target.origin,
        path: target.path,
        signal: AbortSignal.timeout(totalMs),
      })
    } catch (thrown) {
      throw asOutboundError(thrown)
    }
  }

  return {
    async post(url, { headers, body }) {
      const answer = await send(url, { method: 'POST', headers, body })
      await answer.body.dump({ limit: 1024 }).catch(() => {}) // the status counts, whatever becomes of the body
      const retryAfterMs = readRetryAfter(answer.headers['retry-after'])
      return { status: answer.statusCode, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
    },

    async getJson(url, { maxBytes = 65_536 } = {}) {
      const answer = await send(url, { method: 'GET', headers: { accept: 'application/json' } })
      try {
        if (answer.statusCode !== 200) throw new OutboundError('bad_answer', `answered ${answer.statusCode}, not 200`)
        return parseJson(await readText(answer.body, maxBytes))
      } catch (thrown) {
        answer.body.on('error', () => {}).destroy()
        if (thrown instanceof TypeError) throw new OutboundError('bad_answer', `the answer ${thrown.message}`)
        throw asOutboundError(thrown)
      }
    },

    async close() {
      const { guarded, trusting } = (await agents) ?? {}
      await Promise.all([guarded?.close(), trusting?.close()])
    },
  }
}

type LookupCallback = (error: Error | null, address: string | Address[], family?: number) => void

/** A `lookup` for `net.connect`: one address off limits spoils the name, and the socket gets what was checked. */
function checkedLookup(lookup: NonNullable<OutboundOptions['lookup']>, check: (address: string) => boolean) {
  const resolve = async (hostname: string): Promise<[Address, ...Address[]]> => {
    const [first, ...others] = await lookup(hostname)
    if (first === undefined) throw new OutboundError('unreachable', 'the name has no address')
    if (![first, ...others].every(({ address }) => check(address))) {
      throw new OutboundError('forbidden', 'the name leads to an address that is not public')
    }
    return [first, ...others]
  }
  return (hostname: string, { all }: { all?: boolean | undefined }, callback: LookupCallback): void => {
    resolve(hostname).then(
      (found) => (all === true ? callback(null, found) : callback(null, found[0].address, found[0].family)),
      (thrown: Error) => callback(thrown, ''),
    )
  }
}

async function systemAddresses(hostname: string): Promise<readonly Address[]> {
  return systemLookup(hostname, { all: true })
}

/** Naming authorities replaces Node's own list, so ours come on top of it. */
function usualAuthorities(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: () => readonly string[] } // Node 22.15
  return getCACertificates?.() ?? tls.rootCertificates
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw new OutboundError('bad_answer', `the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** RFC 9110 10.2.3: seconds, or a date. */
function readRetryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}
