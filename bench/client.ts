import type { ClientMetadata } from 'express-ciba'
import { secret } from './servers/describe.ts'

/** The client that most calls are made by. */
export const basicClient: ClientMetadata = {
  client_id: 'basic',
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['urn:openid:params:grant-type:ciba'],
  backchannel_token_delivery_mode: 'poll',
}

/** How it shows itself. */
export const basic = `Basic ${Buffer.from(`basic:${secret}`).toString('base64')}`

/** Headers of a form, from whom it is. */
export function formHeaders(authorization?: string): Record<string, string> {
  return { 'content-type': 'application/x-www-form-urlencoded', ...(authorization ? { authorization } : {}) }
}

/** The form of a poll. */
export function pollOf(authReqId: string): string {
  return `grant_type=${encodeURIComponent('urn:openid:params:grant-type:ciba')}&auth_req_id=${authReqId}`
}
