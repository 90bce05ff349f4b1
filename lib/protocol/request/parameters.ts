import type { Form } from '../../contracts/channel.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { invalidRequest } from '../../core/errors.ts'
import { readSignedRequest } from './signedRequest.ts'

/** Parameters of a request (CIBA Core 7.1, FAPI-CIBA, RFC 8707, 9396, 9449, OpenID Connect Core 5.5). */
export const parameterNames = [
  'scope',
  'client_notification_token',
  'acr_values',
  'login_hint_token',
  'id_token_hint',
  'login_hint',
  'binding_message',
  'user_code',
  'requested_expiry',
  'request_context',
  'resource',
  'authorization_details',
  'claims',
  'grant_id',
  'grant_management_action',
  'dpop_jkt',
] as const

/** Parameters that a signed request may have as JSON of other types. */
const json = ['requested_expiry', 'request_context', 'authorization_details', 'claims', 'grant_id', 'dpop_jkt'] as const

type Name = Exclude<(typeof parameterNames)[number], 'resource'>
type JsonName = (typeof json)[number]

/** The parameters of a request by name, from the form or from a verified signed request. One without a value is absent. */
export type Parameters = { readonly [name in Exclude<Name, JsonName>]?: string } & {
  readonly [name in JsonName]?: unknown
} & {
  /** Names that were sent without a value. */
  readonly sentEmpty: ReadonlySet<string>
  /** `resource`, the one parameter that may be repeated (RFC 8707 2). */
  readonly resources: readonly string[]
}

/**
 * Reads the parameters of a request, from its form or from its signed `request` (CIBA Core 7.1.1).
 * @throws BackchannelError `invalid_request` for what must be text and is not, and whatever is wrong with a signed request.
 */
export async function readParameters(ctx: Context, form: Form, client: RegisteredClient): Promise<Parameters> {
  const request = form.values.get('request')
  if (form.values.has('request_uri')) {
    throw invalidRequest('request_uri is not defined for backchannel authentication')
  }
  if (request === undefined) {
    if (ctx.settings.requests.requireSigned || form.empty.has('request')) {
      throw invalidRequest('The request must be signed: send it as a JWT in request')
    }
    return collect((name) => (form.empty.has(name) ? '' : form.values.get(name)), form.resources)
  }
  refuseOutside(form)
  const claims = await readSignedRequest(ctx, request, client)
  return collect((name) => (Object.hasOwn(claims, name) ? claims[name] : undefined), resourcesIn(claims))
}

/** `sent`: what was sent under a name, `''` for a name without a value. */
function collect(sent: (name: Name) => unknown, resources: readonly string[]): Parameters {
  const sentEmpty = new Set<string>()
  const parameters: { [name in Name]?: unknown } & Pick<Parameters, 'sentEmpty' | 'resources'> = {
    sentEmpty,
    resources,
  }
  for (const name of parameterNames) {
    if (name === 'resource') continue
    const value = sent(name)
    if (value === '') {
      sentEmpty.add(name)
    } else if (value !== undefined) {
      if (typeof value !== 'string' && !json.some((each) => each === name))
        throw invalidRequest(`${name} must be a string`)
      parameters[name] = value
    }
  }
  return parameters as Parameters
}

/** Only what is signed counts (CIBA Core 7.1.1): no parameter may stand beside the request. */
function refuseOutside({ values, empty, resources }: Form): void {
  const outside = parameterNames.find(
    (name) => values.has(name) || empty.has(name) || (name === 'resource' && resources.length > 0),
  )
  if (outside !== undefined) throw invalidRequest(`${outside} must be inside the signed request`)
}

function resourcesIn({ resource = [] }: Readonly<Record<string, unknown>>): readonly string[] {
  const resources: unknown[] = Array.isArray(resource) ? resource : [resource]
  if (resources.every((each): each is string => typeof each === 'string')) return resources
  throw invalidRequest('resource must be a string or an array of strings')
}
