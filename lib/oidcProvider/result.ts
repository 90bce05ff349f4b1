import type { ClientsElsewhere } from '../backchannel.ts'
import { printable } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import { present } from '../core/omitUndefined.ts'
import type { Approval, Refusal, RequestDetails } from '../core/request.ts'
import type { Refuse } from './refusal.ts'
import type { OidcProvider, ProviderRequest } from './types.ts'

export interface TellParts {
  provider(): OidcProvider
  readonly emit: Emit
  readonly refuse: Refuse
}

/**
 * Tells oidc-provider what became of a request. The queue that carries pings elsewhere carries this: it is tried again
 * until it was heard. Polls and pings are oidc-provider's.
 */
export function createTell({ provider, emit, refuse }: TellParts): ClientsElsewhere['callClient'] {
  return async ({ id, clientId, answer, details }, _client, attempt, body) => {
    const { auth_req_id } = body as { auth_req_id: string }
    const server = provider()
    const find = () => server.BackchannelAuthenticationRequest.find(auth_req_id)
    const request = await find()
    if (request === undefined) return { outcome: 'refused', reason: 'request_gone' }
    if (isTold(request) || answer === undefined) return { outcome: 'accepted' }
    try {
      if (answer.result === 'approved') await approve(server, request, answer, details)
      else await end(server, request, answer)
    } catch (cause) {
      if (!isTold(await find())) throw cause
      // the result is stored: what failed is the ping, which oidc-provider sends once; clients that miss it poll
      emit({ type: 'delivery.failed', request: id, clientId, mode: 'ping', attempt, reason: 'ping', cause })
    }
    return { outcome: 'accepted' }
  }

  async function end(server: OidcProvider, request: ProviderRequest, refusal: Refusal): Promise<void> {
    const denied = refusal.result === 'denied'
    const usual = denied ? 'The user declined' : 'The request ended without an answer'
    const error = refuse(denied ? 'access_denied' : 'expired_token', 400, usual)
    request.errorDescription = printable(refusal.errorDescription ?? usual) // of an error it keeps the code alone
    await server.backchannelResult(request as never, error as never)
  }
}

/** A second result would undo the first, and bring tokens back that were collected. */
function isTold(request: ProviderRequest | undefined): boolean {
  return request?.grantId !== undefined || request?.error !== undefined || request?.consumed !== undefined
}

/** Grants everything that was asked, or what a completion left of it. */
async function approve(
  server: OidcProvider,
  request: ProviderRequest,
  approval: Approval,
  details: RequestDetails,
): Promise<void> {
  const { clientId = '', accountId = '', claims = {} } = request
  const { acr, amr, authTime, authorizationDetails = details.authorizationDetails } = approval
  const scope = approval.scope.join(' ')
  const grant = new server.Grant({ clientId, accountId })
  grant.addOIDCScope(scope)
  grant.addOIDCClaims(Object.values(claims).flatMap((each) => Object.keys(each as object)))
  for (const resource of [request.resource ?? []].flat()) grant.addResourceScope(resource, scope)
  for (const detail of authorizationDetails ?? []) grant.addRar(detail)
  await grant.save()
  const login = present({ acr, amr, authTime, rar: authorizationDetails })
  await server.backchannelResult(request as never, grant as never, login)
}
