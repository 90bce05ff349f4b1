import { secret } from '../servers/describe.ts'

/** The one client of these servers, and the header it shows itself by. */
export const clientOptions = {
  client_id: 'basic',
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_basic' as const,
  grant_types: ['urn:openid:params:grant-type:ciba'],
  backchannel_token_delivery_mode: 'poll' as const,
  authorization: `Basic ${Buffer.from(`basic:${secret}`).toString('base64')}`,
}

/** The form of a poll. */
export function pollOf(authReqId: string): string {
  return `grant_type=${encodeURIComponent('urn:openid:params:grant-type:ciba')}&auth_req_id=${authReqId}`
}

export const pollHeaders = {
  'content-type': 'application/x-www-form-urlencoded',
  authorization: clientOptions.authorization,
}
