import { z } from 'zod'
import type { Approval, RequestRecord } from '../contracts/request.ts'
import type { Client } from '../core/client.ts'
import type { Context } from '../core/context.ts'
import { readJws } from '../core/crypto/jws.ts'
import { errorOf } from '../core/events.ts'
import { isObject, omitUndefined } from '../core/json.ts'
import { authReqIdOf } from '../core/lookup.ts'
import { notificationOf } from '../protocol/notification/body.ts'
import { lifetimesOf } from '../protocol/token/grant.ts'
import { readCompletion } from './completion.ts'
import { anything, list, number, readMembers, text, texts } from './fields.ts'
import type { ManagementOptions } from './options.ts'
import { answer, wrongCall } from './results.ts'
import { about, authzDetails, capitals } from './shapes.ts'
import { completeTicket } from './ticket.ts'

const members = z.object({
  ticket: text,
  result: text,
  subject: text,
  sub: text,
  authTime: number,
  acr: text,
  claims: anything,
  properties: list,
  scopes: texts,
  idtHeaderParams: anything,
  consentedClaims: texts,
  jwtAtClaims: anything,
  accessToken: text,
  accessTokenDuration: number,
  refreshTokenDuration: number,
  idTokenAudType: text,
  errorDescription: text,
  errorUri: text,
})

/** `/backchannel/authentication/complete`: settles a ticket's request. The caller delivers what there is to deliver. */
export async function completeApi(ctx: Context, options: ManagementOptions, body: unknown): Promise<object> {
  const { ticket, properties, ...said } = readMembers(members, body)
  if (ticket === undefined) return wrongCall('complete', 'SERVER_ERROR', 'ticket is missing')
  try {
    const decision = readCompletion(omitUndefined({ ...said, properties: properties?.map(withoutNull) }))
    return await answerFor(ctx, options, await completeTicket(ctx, ticket, decision))
  } catch (thrown) {
    const error = errorOf(ctx.emit, thrown)
    const say = error.status < 500 ? wrongCall : answer
    return say('complete', 'SERVER_ERROR', error.message)
  }
}

const results = { approved: 'AUTHORIZED', denied: 'ACCESS_DENIED', failed: 'TRANSACTION_FAILED' } as const

/** Tells of the answer that stands: `NOTIFICATION` with what to send to the client, or `NO_ACTION` where it polls. */
async function answerFor(ctx: Context, options: ManagementOptions, record: RequestRecord): Promise<object> {
  const { clientId, deliveryMode, details } = record
  // the answer is stored and stands, whether or not the registry of clients is within reach
  const client = await ctx.clients.find(clientId).catch(() => undefined)
  const authReqId = authReqIdOf(ctx, record)
  const notification = deliveryMode === 'poll' ? undefined : await notificationOf(ctx, record, client, authReqId)
  const pushed = deliveryMode === 'push' && client !== undefined ? notification?.body : undefined
  const action = notification === undefined ? 'NO_ACTION' : 'NOTIFICATION'
  return answer('complete', action, `The request is completed: ${results[record.answer?.result ?? 'failed']}`, {
    responseContent: notification && JSON.stringify(notification.body ?? failure(authReqId)),
    deliveryMode: capitals(deliveryMode),
    clientNotificationEndpoint: notification?.endpoint,
    clientNotificationToken: notification?.token,
    authReqId,
    ...tokensIn(ctx, pushed ?? {}, record, client),
    resources: details.resources,
    grantId: textIn(pushed?.grant_id) ?? details.grantId,
    ...about(options, client?.metadata ?? { client_id: clientId }),
    authorizationDetails: authzDetails(details.authorizationDetails),
  })
}

/** Tokens come with push alone: all other clients collect them. 0 seconds where there is no token here. */
function tokensIn(ctx: Context, body: Readonly<Record<string, unknown>>, { answer }: RequestRecord, client?: Client) {
  const lifetimes = client && lifetimesOf(ctx, client.metadata, (answer as Approval | undefined)?.tokens)
  const accessToken = textIn(body.access_token)
  const refreshToken = textIn(body.refresh_token)
  const idToken = textIn(body.id_token)
  return {
    accessToken,
    refreshToken,
    idToken,
    accessTokenDuration: typeof body.expires_in === 'number' ? body.expires_in : 0,
    refreshTokenDuration: refreshToken === undefined ? 0 : (lifetimes?.refreshTokenSeconds ?? 0),
    idTokenDuration: idToken === undefined ? 0 : (lifetimes?.idTokenSeconds ?? 0),
    jwtAccessToken: accessToken !== undefined && readJws(accessToken) !== undefined ? accessToken : undefined,
  }
}

/** Tokens to push could not be made. Completing again tries it again. */
function failure(authReqId: string): object {
  const text = 'The server could not make the tokens'
  return { error: 'server_error', error_description: text, auth_req_id: authReqId }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Some of the SDKs send members that are not set as `null`. */
function withoutNull(property: unknown): unknown {
  if (!isObject(property)) return property
  return Object.fromEntries(Object.entries(property).filter(([, value]) => value !== null))
}
