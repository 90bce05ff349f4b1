import type { Client } from '../../contracts/contracts.ts'
import { readJws } from '../../core/crypto/jws.ts'
import { present } from '../../core/omitUndefined.ts'
import type { AuthorizationDetail, DeliveryMode, RequestRecord } from '../../core/request.ts'

/**
 * What came of a completion: every member of Authlete's answer. `NOTIFICATION`: the client is being told, by us and in
 * its own time; when the completion named a ticket, it is the host who tells it. `NO_ACTION`: it polls.
 */
export interface Completed {
  readonly action: 'NOTIFICATION' | 'NO_ACTION'
  /** The answer that stands. An approval that missed an essential `acr` is a `TRANSACTION_FAILED`. */
  readonly result: 'AUTHORIZED' | 'ACCESS_DENIED' | 'TRANSACTION_FAILED'
  /** The body that the client is being sent. */
  readonly responseContent?: string
  /** Public id of the request, as in events. */
  readonly request: string
  readonly clientId: string
  readonly clientName?: string
  readonly deliveryMode: DeliveryMode
  /** Ping and push. */
  readonly clientNotificationEndpoint?: string
  /** Ping and push. */
  readonly clientNotificationToken?: string
  /** Always for ping and push; for poll when the request was named by it. */
  readonly authReqId?: string
  /** Tokens come with push alone: all other clients collect them. */
  readonly accessToken?: string
  readonly refreshToken?: string
  readonly idToken?: string
  /** Seconds; 0 when there is none here. */
  readonly accessTokenDuration: number
  readonly refreshTokenDuration: number
  readonly idTokenDuration: number
  /** The access token once more, when it is a JWT. */
  readonly jwtAccessToken?: string
  /** What the client asked for. */
  readonly resources?: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  readonly grantId?: string
}

/** What a client is being sent, or would be. */
export interface Notification {
  readonly authReqId: string
  readonly endpoint?: string | undefined
  readonly token?: string | undefined
  /** Absent when it could not be made yet: it will be tried again. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
}

export interface ReportParts {
  findClient(clientId: string): Promise<Client | undefined>
  /** For ping and push. The tokens of a push are made here and now. */
  notificationOf(record: RequestRecord): Promise<Notification>
  /** Seconds that the tokens of a request live. */
  lifetimesOf(record: RequestRecord, client: Client): Lifetimes
}

interface Lifetimes {
  readonly idTokenSeconds: number
  readonly refreshTokenSeconds: number
}

const results = { approved: 'AUTHORIZED', denied: 'ACCESS_DENIED', failed: 'TRANSACTION_FAILED' } as const

/** Tells the host what came of its completion. */
export function createReport({ findClient, notificationOf, lifetimesOf }: ReportParts) {
  return async (record: RequestRecord, authReqId: string | undefined): Promise<Completed> => {
    const { id, clientId, deliveryMode, details, answer } = record
    // the answer is stored and stands: an outage, which has been reported, is no reason to say otherwise
    const client = await findClient(clientId).catch(() => undefined)
    const notification = deliveryMode === 'poll' ? undefined : await notificationOf(record)
    const pushed = deliveryMode === 'push' && client !== undefined ? notification?.body : undefined
    return present({
      action: notification === undefined ? ('NO_ACTION' as const) : ('NOTIFICATION' as const),
      result: results[answer?.result ?? 'failed'],
      responseContent: notification?.body === undefined ? undefined : JSON.stringify(notification.body),
      request: id,
      clientId,
      clientName: client?.name,
      deliveryMode,
      clientNotificationEndpoint: notification?.endpoint,
      clientNotificationToken: notification?.token,
      authReqId: notification?.authReqId ?? authReqId,
      ...tokensIn(pushed ?? {}, client === undefined ? undefined : lifetimesOf(record, client)),
      resources: details.resources,
      authorizationDetails: details.authorizationDetails,
      grantId: textIn(pushed?.grant_id) ?? details.grantId,
    })
  }
}

function tokensIn(body: Readonly<Record<string, unknown>>, lifetimes: Lifetimes | undefined) {
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

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
