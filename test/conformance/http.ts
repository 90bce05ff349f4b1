import { Agent, request } from 'undici'
import { isObject, type Members } from './checks/values.ts'

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The parsed body; `undefined` when it is not JSON. */
  readonly json: unknown
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
  readonly json?: unknown
}

export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly ca?: string | undefined
}

export type Http = ReturnType<typeof createHttp>

/**
 * A client as the suite's own: shows its certificate on every call, believes any server, follows no redirect,
 * tries nothing twice and waits 60 seconds.
 */
export function createHttp(certificate?: Certificate) {
  const { cert, key, ca } = certificate ?? {}
  const chain = [cert, ca].filter((pem) => pem !== undefined).join('\n')
  const agent = new Agent({
    connect: { rejectUnauthorized: false, ...(key === undefined ? {} : { cert: chain, key }) },
    connectTimeout: 60_000,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  })

  async function send(url: string, { method = 'GET', headers = {}, form, json }: Call = {}): Promise<Answer> {
    const body = form === undefined ? JSON.stringify(json) : new URLSearchParams(form).toString()
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    const response = await request(url, {
      dispatcher: agent,
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': type }), ...headers },
      body: body ?? null,
    })
    const text = await response.body.text()
    return { status: response.statusCode, headers: response.headers, text, json: parse(text) }
  }

  return { send, close: () => agent.destroy() }
}

export function header({ headers }: Answer, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The members of a JSON object; none when the body is something else. */
export function membersOf({ json }: Answer): Members {
  return isObject(json) ? json : {}
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
