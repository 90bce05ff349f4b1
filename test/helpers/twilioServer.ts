import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import twilio from 'twilio'
import RequestClient from 'twilio/lib/base/RequestClient.js'

export const accountSid = `AC${'a'.repeat(32)}`
export const authToken = 'b'.repeat(32)

/** Twilio's answer to the next message: a code of its error table, with the HTTP status that it comes with. */
export interface TwilioError {
  readonly status: number
  readonly code: number
}

/**
 * Twilio's REST API as far as messages go, on loopback, and the real client that speaks to it over HTTP.
 * It checks credentials and form fields as Twilio does, and answers in its words.
 */
export async function startTwilio() {
  const messages: URLSearchParams[] = []
  const errors: (TwilioError | 'hang up')[] = []
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const chunk of req) body += chunk
    const answer = (status: number, json: object) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    const fail = ({ status, code }: TwilioError) =>
      answer(status, {
        code,
        message: `error ${code}`,
        more_info: `https://www.twilio.com/docs/errors/${code}`,
        status,
      })

    const credentials = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
    if (req.headers.authorization !== credentials) return fail({ status: 401, code: 20003 })
    const account = `/2010-04-01/Accounts/${accountSid}`
    if (req.method === 'GET' && req.url === `${account}.json`) return answer(200, { sid: accountSid, status: 'active' })
    if (req.method !== 'POST' || req.url !== `${account}/Messages.json`) return fail({ status: 404, code: 20404 })

    const form = new URLSearchParams(body)
    if (!/^\+\d+$/.test(form.get('To') ?? '')) return fail({ status: 400, code: 21211 })
    if (!form.get('Body')) return fail({ status: 400, code: 21602 })
    if (!form.get('From') && !form.get('MessagingServiceSid')) return fail({ status: 400, code: 21603 })
    const error = errors.shift()
    if (error === 'hang up') return req.socket.destroy()
    if (error !== undefined) return fail(error)
    messages.push(form)
    answer(201, { sid: `SM${String(messages.length).padStart(32, '0')}`, status: 'queued', to: form.get('To') })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  class ToLoopback extends RequestClient {
    override request<T>(options: RequestClient.RequestOptions<T>) {
      return super.request<T>({ ...options, uri: options.uri.replace('https://api.twilio.com', origin) })
    }
  }

  return {
    client: twilio(accountSid, authToken, { httpClient: new ToLoopback({ keepAlive: false, timeout: 2000 }) }),
    strangersClient: twilio(accountSid, 'c'.repeat(32), { httpClient: new ToLoopback({ keepAlive: false }) }),
    messages,
    /** Answers the next message with an error. */
    failWith: (...each: (TwilioError | 'hang up')[]) => void errors.push(...each),
    /** Reports on a message the way Twilio does: a signed form post. */
    report: (url: string, status: string, errorCode?: number, { signedUrl = url, token = authToken } = {}) => {
      const form = {
        AccountSid: accountSid,
        ApiVersion: '2010-04-01',
        From: '+15550000',
        MessageSid: `SM${'0'.repeat(32)}`,
        MessageStatus: status,
        To: '+15550100',
        ...(errorCode === undefined ? {} : { ErrorCode: String(errorCode) }),
      }
      return fetch(url, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(token, signedUrl, form) },
      })
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
