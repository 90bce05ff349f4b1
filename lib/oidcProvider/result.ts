import type { Answer, Approval, Refusal, RequestDetails, RequestRecord } from '../contracts/request.ts'
import type { AskContext } from '../core/context.ts'
import { printable } from '../core/errors.ts'
import { omitUndefined } from '../core/json.ts'
import { providerError } from './refusal.ts'
import type { OidcProvider, ProviderErrors, ProviderRequest, ProviderServer } from './types.ts'

/** A record with the user's answer. */
export type AnsweredRecord = RequestRecord & { readonly answer: Answer }

/**
 * Tells oidc-provider what became of a request. Polls and pings are oidc-provider's.
 * @returns `false` when it has no such request any more.
 * @throws whatever went wrong, when the result is not stored there: to be tried again.
 */
export async function tellResult(
  ctx: AskContext,
  server: ProviderServer,
  { id, clientId, answer, details }: AnsweredRecord,
  authReqId: string,
  attempt: number,
): Promise<boolean> {
  const provider = server.provider()
  const find = () => provider.BackchannelAuthenticationRequest.find(authReqId)
  const request = await find()
  if (request === undefined) return false
  if (isTold(request)) return true
  try {
    if (answer.result === 'approved') await approve(provider, request, answer, details)
    else await end(provider, server.errors, request, answer)
  } catch (cause) {
    if (!isTold(await find())) throw cause
    // the result is stored: what failed is the ping, which oidc-provider sends once; clients that miss it poll
    ctx.emit({ type: 'delivery.failed', request: id, clientId, mode: 'ping', attempt, reason: 'ping', cause })
  }
  return true
}

/** A second result would undo the first, and bring tokens back that were collected. */
function isTold(request: ProviderRequest | undefined): boolean {
  return request?.grantId !== undefined || request?.error !== undefined || request?.consumed !== undefined
}

/** Grants everything that was asked, or what a completion left of it. */
async function approve(
  provider: OidcProvider,
  request: ProviderRequest,
  approval: Approval,
  details: RequestDetails,
): Promise<void> {
  const { clientId = '', accountId = '', claims = {} } = request
  const { acr, amr, authTime, authorizationDetails = details.authorizationDetails } = approval
  const scope = approval.scope.join(' ')
  const grant = new provider.Grant({ clientId, accountId })
  grant.addOIDCScope(scope)
  grant.addOIDCClaims(Object.values(claims).flatMap((each) => Object.keys(each as object)))
  for (const resource of [request.resource ?? []].flat()) grant.addResourceScope(resource, scope)
  for (const detail of authorizationDetails ?? []) grant.addRar(detail)
  await grant.save()
  const login = omitUndefined({ acr, amr, authTime, rar: authorizationDetails })
  await provider.backchannelResult(request as never, grant as never, login)
}

async function end(
  provider: OidcProvider,
  errors: ProviderErrors,
  request: ProviderRequest,
  { result, errorDescription }: Refusal,
): Promise<void> {
  const isDenied = result === 'denied'
  const usual = isDenied ? 'The user declined' : 'The request ended without an answer'
  const error = providerError(errors, isDenied ? 'access_denied' : 'expired_token', 400, usual)
  request.errorDescription = printable(errorDescription ?? usual) // of an error it keeps the code alone
  await provider.backchannelResult(request as never, error as never)
}
