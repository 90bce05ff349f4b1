import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import * as tls from 'node:tls'
import type { Agent, Dispatcher } from 'undici'
import type { Address, OutboundOptions } from '../../contracts/options.ts'
import { omitUndefined, parseJson } from '../json.ts'
import { isPublic } from './publicAddress.ts'

/** `forbidden`: this URL or its address may not be called. The others may be different the next time. */
export type OutboundFailure = 'forbidden' | 'timeout' | 'unreachable' | 'bad_answer'

/** Why a call came to nothing. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError'
  readonly code: OutboundFailure

  constructor(code: OutboundFailure, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}

/** What a receiver answered. The response body is ignored. */
export interface Posted {
  readonly status: number
  /** Milliseconds of `Retry-After`, when there is one. */
  readonly retryAfterMs?: number
}

const maxJsonBytes = 65_536

/** Calls to URLs that clients registered. */
export interface Outbound {
  /** @throws OutboundError when there was no answer. Every status is an answer. */
  post(
    url: string,
    call: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  ): Promise<Posted>
  /** @throws OutboundError when the answer is not a 200 with JSON of at most 65536 bytes. */
  getJson(url: string): Promise<unknown>
  close(): Promise<void>
}

/**
 * Makes every outgoing call: https only, TLS verified, no redirects, and the address checked when the socket connects,
 * so that a name which resolves differently the second time gains nothing. Each call has its own connection.
 */
export function createOutbound(options: OutboundOptions = {}): Outbound {
  const allow = new Set((options.allow ?? []).map(readHost))
  const totalMs = Math.ceil((options.totalSeconds ?? 10) * 1000)
  const makeAgents = agentsFor(options)
  let agents: ReturnType<typeof makeAgents> | undefined

  async function send(
    url: string,
    call: { method: 'GET' | 'POST'; headers: Readonly<Record<string, string>>; body?: string },
  ): Promise<Dispatcher.ResponseData> {
    const { origin, path, isAllowed } = targetOf(url, allow)
    agents ??= makeAgents()
    const { publicOnly, anywhere } = await agents
    try {
      const signal = AbortSignal.timeout(totalMs)
      return await (isAllowed ? anywhere : publicOnly).request({ ...call, origin, path, signal })
    } catch (thrown) {
      throw asOutboundError(thrown)
    }
  }

  return {
    async post(url, { headers, body }) {
      const answer = await send(url, { method: 'POST', headers, body })
      await answer.body.dump({ limit: 1024 }).catch(() => {}) // the status counts, whatever becomes of the body
      return omitUndefined({ status: answer.statusCode, retryAfterMs: readRetryAfter(answer.headers['retry-after']) })
    },

    async getJson(url) {
      const answer = await send(url, { method: 'GET', headers: { accept: 'application/json' } })
      try {
        if (answer.statusCode !== 200) throw new OutboundError('bad_answer', `answered ${answer.statusCode}, not 200`)
        return parseJson(await readText(answer.body))
      } catch (thrown) {
        answer.body.on('error', () => {}).destroy()
        if (thrown instanceof TypeError) throw new OutboundError('bad_answer', `the answer ${thrown.message}`)
        throw asOutboundError(thrown)
      }
    },

    async close() {
      const { publicOnly, anywhere } = (await agents) ?? {}
      await Promise.all([publicOnly?.close(), anywhere?.close()])
    },
  }
}

/**
 * Reads the TLS options now, so that a mistake shows at the start, and loads the HTTP client at the first call: it is a
 * quarter of the code that is loaded, and a server that is only polled never needs it.
 */
function agentsFor(options: OutboundOptions): () => Promise<Record<'publicOnly' | 'anywhere', Agent>> {
  const { connectSeconds = 3, lookup = systemAddresses, ca, clientCertificate } = options
  const secureContext = tls.createSecureContext(
    omitUndefined({ ca: ca && [...usualAuthorities(), ca].flat(), ...clientCertificate }),
  )
  return async () => {
    const { Agent, buildConnector } = await import('undici')
    const agentWith = (check: (address: string) => boolean) =>
      new Agent({
        connect: buildConnector({
          timeout: connectSeconds * 1000,
          secureContext,
          lookup: checkedLookup(lookup, check),
        }),
        pipelining: 0,
      })
    return { publicOnly: agentWith(isPublic), anywhere: agentWith(() => true) }
  }
}

/**
 * A host of the `allow` list, as a URL has it.
 * @throws TypeError when it is no host.
 */
function readHost(text: string): string {
  const url = URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : undefined
  if (url === undefined || url.origin !== `${url.href.slice(0, -1)}` || text.endsWith('/')) {
    throw new TypeError(
      'express-ciba: option "delivery.outbound.allow" must hold hosts such as "pos.intranet" or "10.0.0.5:8443"',
    )
  }
  return url.host
}

export interface Target {
  readonly origin: string
  readonly path: string
  /** The host is in the `allow` list: it may be anywhere, private networks included. */
  readonly isAllowed: boolean
}

/**
 * What a URL leads to, when it may be called at all. Decimal, octal and hexadecimal forms of an address have become
 * dotted ones by the time the URL is parsed.
 * @throws OutboundError `forbidden`
 */
export function targetOf(text: string, allow: ReadonlySet<string>): Target {
  const refuse = (why: string) => new OutboundError('forbidden', `the URL ${why}`)
  if (!URL.canParse(text)) throw refuse('is not valid')
  const url = new URL(text)
  if (url.protocol !== 'https:') throw refuse('is not https')
  if (url.username !== '' || url.password !== '') throw refuse('holds a user name or a password')
  if (text.includes('#')) throw refuse('has a fragment')
  const isAllowed = allow.has(url.host)
  if (!isAllowed) {
    if (url.port !== '') throw refuse('has a port other than 443')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isPublic(host)) throw refuse('leads to an address that is not public')
  }
  return { origin: url.origin, path: url.pathname + url.search, isAllowed }
}

type LookupCallback = (error: Error | null, address: string | Address[], family?: number) => void

/** A `lookup` for `net.connect`: one forbidden address refuses the name, and the socket gets what was checked. */
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

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxJsonBytes) throw new OutboundError('bad_answer', `the answer is larger than ${maxJsonBytes} bytes`)
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

/** Whatever undici, TLS or the resolver threw. */
function asOutboundError(thrown: unknown): OutboundError {
  if (thrown instanceof OutboundError) return thrown
  const { name, code } = thrown as { name?: string; code?: string }
  const isLate = name === 'TimeoutError' || code?.endsWith('_TIMEOUT') || code === 'ETIMEDOUT'
  return isLate
    ? new OutboundError('timeout', 'no answer in time', { cause: thrown })
    : new OutboundError('unreachable', 'no answer', { cause: thrown })
}
