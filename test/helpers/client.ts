import type { Host } from './host.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any
}

/** A bare HTTP client of the two endpoints, for what a well-behaved library would never send. */
export function clientOf(host: Pick<Host, 'origin'>, prefix = '') {
  const basic = `Basic ${Buffer.from('till:till-secret-0123456789-0123456789').toString('base64')}`

  async function post(
    path: string,
    form: Form,
    headers: Record<string, string> = { authorization: basic },
  ): Promise<Answer> {
    const body = typeof form === 'string' ? form : new URLSearchParams(form as Record<string, string>).toString()
    return read(
      await fetch(host.origin + prefix + path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body,
        redirect: 'manual',
      }),
    )
  }

  return {
    basic,
    post,
    start: (form: Form = { scope: 'openid', login_hint: 'alice@example.com' }, headers?: Record<string, string>) =>
      post('/oidc/backchannel', form, headers),
    poll: (authReqId: string, headers?: Record<string, string>) =>
      post('/oidc/token', { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId }, headers),
    complete: async (body: unknown, token = 'token-of-alice') =>
      read(
        await fetch(`${host.origin}${prefix}/auth/backchannel/complete`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      ),
  }
}

export type Form = string | Record<string, string>

async function read(response: Response): Promise<Answer> {
  const text = await response.text()
  const json = response.headers.get('content-type')?.startsWith('application/json') && text !== ''
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text }
}
