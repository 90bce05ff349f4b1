import type { DeliveryMode } from '../contracts/clients.ts'
import type { RequestDetails } from '../contracts/request.ts'
import type { User } from '../contracts/users.ts'
import type { Client } from '../core/client.ts'
import type { AskContext } from '../core/context.ts'
import { omitUndefined } from '../core/json.ts'
import { readAuthorizationDetails } from '../protocol/authorization/authorizationDetails.ts'
import type { HintParameter } from '../protocol/request/hint.ts'
import type { RequestContext } from '../protocol/request/requestContext.ts'
import { clientOf, deliveryModeOf } from './client.ts'
import type { ProviderContext } from './types.ts'

/** What is known of a call so far: the helpers of oidc-provider are called one after the other. */
export interface CibaCall {
  readonly client: Client
  readonly deliveryMode: DeliveryMode
  context?: RequestContext | undefined
  bindingMessage?: string | undefined
  hint?: HintParameter
  user?: User | undefined
}

/** The call as it begins. */
export function newCall({ oidc: { client } }: ProviderContext): CibaCall {
  if (client === undefined) throw new TypeError('oidc-provider called a helper before it knew the client')
  return { client: clientOf(client), deliveryMode: deliveryModeOf(client) }
}

/** What the client asks, of the parameters that oidc-provider has read. */
export async function detailsOf(ctx: AskContext, { oidc }: ProviderContext, call: CibaCall): Promise<RequestDetails> {
  const { params = {}, claims, client } = oidc
  const maxAge = Number(params.max_age)
  const acr = (claims as { id_token?: Record<string, unknown> } | undefined)?.id_token?.acr
  const acrValues = wordsIn(params.acr_values).filter((each) => ctx.settings.requests.acrValues.includes(each))
  const details = params.authorization_details
  return omitUndefined({
    scope: wordsIn(params.scope),
    bindingMessage: call.bindingMessage,
    requestContext: call.context?.all,
    acrValues: acrValues.length > 0 ? acrValues : undefined,
    claims: acr === undefined ? undefined : { id_token: { acr } },
    maxAge: params.max_age === undefined || Number.isNaN(maxAge) ? undefined : maxAge,
    requireAuthTime: client?.requireAuthTime === true ? (true as const) : undefined,
    authorizationDetails: details === undefined ? undefined : readAuthorizationDetails(ctx, details, call.client),
  })
}

/** The hint that the user was found by. */
export function hintIn({ hint }: CibaCall): HintParameter {
  if (hint === undefined) throw new TypeError('oidc-provider called a helper before it had read the hint')
  return hint
}

export function userCodeIn({ oidc }: ProviderContext): string | undefined {
  return textIn(oidc.params?.user_code)
}

/** A text that is not empty. */
export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function wordsIn(value: unknown): readonly string[] {
  return textIn(value)?.split(' ') ?? []
}
