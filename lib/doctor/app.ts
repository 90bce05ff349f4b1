import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isObject } from '../core/json.ts'
import type { Urls } from '../core/settings.ts'
import { type Finding, pass } from './check.ts'

/** The host's Express app: what is used of it. */
export interface HostApp {
  (req: IncomingMessage, res: ServerResponse): unknown
  /** The value of a setting. */
  get(setting: string): unknown
}

const timeoutMs = 3_000

/**
 * Calls the app as a proxy would that ends TLS: is the router where the options say, and does the discovery document
 * name it? The app listens for that on a loopback port of its own. Without `metadata` only the page is looked for.
 */
export async function mounting(app: HostApp, urls: Urls, metadata: object | undefined): Promise<Finding[]> {
  const server = createServer((req, res) => void app(req, res)).listen(0, '127.0.0.1')
  try {
    await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
    const { port } = server.address() as AddressInfo
    const probe = metadata === undefined ? pageProbe(urls) : endpointProbe(urls)
    const mount = mountOf(await callApp(port, probe.url, probe.method), probe, urls)
    if (mount.result !== 'pass' || metadata === undefined) return [mount]
    return [mount, discoveryOf(await callApp(port, urls.discovery), urls, metadata)]
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** A call that only a route of ours refuses with 405 and this `Allow`. */
interface Probe {
  readonly method: string
  readonly url: string
  readonly allow: string
}

const endpointProbe = ({ backchannel }: Urls): Probe => ({ method: 'GET', url: backchannel, allow: 'POST' })
const pageProbe = ({ approve }: Urls): Probe => ({ method: 'DELETE', url: approve, allow: 'GET, HEAD' })

interface AppResponse {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

function callApp(port: number, url: string, method = 'GET'): Promise<AppResponse | undefined> {
  const { protocol, host, pathname } = new URL(url)
  const headers = { host, 'x-forwarded-proto': protocol.slice(0, -1), 'x-forwarded-for': '127.0.0.1' }
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path: pathname, method, headers, timeout: timeoutMs }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', () => resolve(undefined))
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() })
      })
    })
    call.on('timeout', () => call.destroy(new Error('timeout')))
    call.on('error', () => resolve(undefined))
    call.end()
  })
}

function mountOf(got: AppResponse | undefined, { method, url, allow }: Probe, urls: Urls): Finding {
  const check = 'mount'
  const { pathname } = new URL(url)
  if (got === undefined) {
    const remedy = 'Something before the router neither answers nor calls next(): mount the router before it'
    return { check, result: 'fail', detail: `${method} ${pathname} does not answer`, remedy }
  }
  if (got.status === 405 && got.headers.allow === allow) return pass(check, `the router is at ${urls.base}`)
  const { location } = got.headers
  const to = location === undefined || !URL.canParse(location) ? '' : ` to ${new URL(location).origin}`
  const detail = `${method} ${pathname} answers ${got.status}${to}`
  if (got.status >= 300 && got.status < 400) {
    const remedy =
      "Behind a proxy that ends TLS set app.set('trust proxy', 1), or calls are sent to https for ever; mount the router before other redirects"
    return { check, result: 'fail', detail, remedy }
  }
  const prefix = prefixOf(urls)
  const remedy = `The options say app.use('${prefix}', router): mount it there, before handlers that answer everything, or set "baseUrl" to where it is`
  return { check, result: 'fail', detail, remedy }
}

/** What the mount point adds before the path of a route. */
function prefixOf({ origin, base }: Urls): string {
  return base.slice(origin.length) || '/'
}

function discoveryOf(got: AppResponse | undefined, urls: Urls, metadata: object): Finding {
  const check = 'discovery'
  const { pathname } = new URL(urls.discovery)
  const ours = Object.entries(metadata).filter(([name]) => name === 'issuer' || name.startsWith('backchannel_'))
  const served = got?.status === 200 ? parsed(got.body) : undefined
  if (served === undefined) {
    return {
      check,
      result: 'fail',
      detail: `GET ${pathname} answers ${got?.status ?? 'nothing'}, and no JSON object`,
      remedy: 'Serve backchannel.metadata() there, or merge it into the document that you have',
    }
  }
  const other = ours.filter(([name, value]) => JSON.stringify(served[name]) !== JSON.stringify(value))
  if (other.length === 0) return pass(check, `names the router at ${pathname}`)
  return {
    check,
    result: 'fail',
    detail: `GET ${pathname} has other values than ours: ${other.map(([name]) => name).join(', ')}`,
    remedy: 'Merge backchannel.metadata() into your document: serve backchannel.mergeMetadata(yours)',
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Which proxies may say where a call comes from? Limits on failed authentications count by that address. */
export function proxy(app: HostApp, urls: Urls): Finding {
  const check = 'proxy'
  const trusted = app.get('trust proxy')
  const remedy =
    "app.set('trust proxy', 1) behind one proxy that sets X-Forwarded-For, the number of them, or their addresses"
  if (trusted === true) {
    return { check, result: 'fail', detail: 'trust proxy is true: callers choose their address', remedy }
  }
  if (typeof trusted === 'function') return pass(check, 'trust proxy is a function of yours')
  if (trusted !== undefined && trusted !== false && trusted !== 0) {
    return pass(check, `trust proxy is ${JSON.stringify(trusted)}`)
  }
  if (urls.origin.startsWith('http:')) return pass(check, 'trust proxy is off')
  return {
    check,
    result: 'warn',
    detail: 'trust proxy is off: behind a proxy all callers share its address, and the limits by address',
    remedy: `${remedy}; nothing where this app ends TLS by itself`,
  }
}
