import { z } from 'zod'
import type { Client } from '../contracts/contracts.ts'
import { asBackchannelError } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import { present } from '../core/omitUndefined.ts'
import type { AuthorizationDetail } from '../core/request.ts'
import type { About } from './about.ts'
import { anything, list, number, readMembers, text, texts } from './fields.ts'
import { answer, wrongCall } from './results.ts'
import { authzDetails, capitals } from './shapes.ts'

/** What came of a completion. */
interface Completed {
  readonly action: 'NOTIFICATION' | 'NO_ACTION'
  readonly request: string
  readonly result: string
  readonly clientId: string
  readonly clientName?: string
  readonly deliveryMode: string
  readonly responseContent?: string
  readonly authReqId?: string
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

export interface CompleteParts {
  readonly about: About
  findClient(clientId: string): Promise<Client | undefined>
  /** Checks the members and settles the request. */
  complete(completion: object): Promise<Completed>
}

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
export function createCompleteTicket({ about, findClient, complete }: CompleteParts) {
  return async (body: unknown): Promise<object> => {
    const { ticket, properties, ...said } = readMembers(members, body)
    if (ticket === undefined) return wrongCall('complete', 'SERVER_ERROR', 'ticket is missing')
    try {
      const completion = present({ ...said, ticket, properties: properties?.map(withoutNull) })
      return await toldOf(await complete(completion))
    } catch (thrown) {
      const error = asBackchannelError(thrown)
      if (error !== thrown || error.status >= 500) throw thrown
      return wrongCall('complete', 'SERVER_ERROR', error.message)
    }
  }

  async function toldOf(completed: Completed): Promise<object> {
    const { action, request: _, result, clientId, clientName, authorizationDetails, ...told } = completed
    const { deliveryMode, responseContent, authReqId } = told
    // the answer is stored and stands, whether or not the registry of clients is within reach
    const client = await findClient(clientId).catch(() => undefined)
    const content = action === 'NOTIFICATION' ? (responseContent ?? failure(authReqId)) : undefined
    return answer('complete', action, `The request is completed: ${result}`, {
      ...told,
      ...about(client?.metadata ?? { client_id: clientId, client_name: clientName }),
      deliveryMode: capitals(deliveryMode),
      responseContent: content,
      authorizationDetails: authzDetails(authorizationDetails),
    })
  }
}

/** Tokens to push could not be made. Completing again tries it again. */
function failure(authReqId: string | undefined): string {
  const text = 'The server could not make the tokens'
  return JSON.stringify({ error: 'server_error', error_description: text, auth_req_id: authReqId })
}

/** Some of the SDKs send members that are not set as `null`. */
function withoutNull(property: unknown): unknown {
  if (!isObject(property)) return property
  return Object.fromEntries(Object.entries(property).filter(([, value]) => value !== null))
}
