import { type Check, found } from './catalogue.ts'
import { brief, isJsonType, isObject } from './values.ts'

/** A call that reached the notification endpoint. */
export interface Notification {
  readonly contentType: string | undefined
  readonly authorization: string | undefined
  readonly body: string
  /** Of the connection it came over: `TLSv1.3`, and the suite by its OpenSSL name. */
  readonly protocol: string | null
  readonly suite: string
}

/** A ping (CIBA 10.2). */
export function* notification(ping: Notification, { token, authReqId }: { token: string; authReqId: string }): Check {
  if (!isJsonType(ping.contentType)) yield found('N1 content type', `Content-Type is ${brief(ping.contentType)}`)
  if (!carries(ping, token)) yield found('N2 authorization', brief(ping.authorization))
  const body = parse(ping.body)
  if (!isObject(body) || Object.keys(body).join() !== 'auth_req_id' || body.auth_req_id !== authReqId) {
    yield found('N3 body', brief(ping.body))
  }
  if (ping.protocol !== 'TLSv1.3') yield found('N4 tls', `came over ${ping.protocol} with ${ping.suite}`)
}

/** Is this the token of the request? */
export function carries({ authorization = '' }: Pick<Notification, 'authorization'>, token: string): boolean {
  const parts = authorization.split(' ')
  return parts.length === 2 && parts[0]?.toLowerCase() === 'bearer' && parts[1] === token
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
