import type { Form } from '../../contracts/channel.ts'
import type { RequestDetails } from '../../contracts/request.ts'
import type { Grant, Granted } from '../../contracts/tokens.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext, Context } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { eachWithinItsOwn, isWithin, narrowDetails } from './authorizationDetails.ts'
import { narrowResources, scopeFor } from './resources.ts'

/**
 * A decision may grant less than was asked, never more; scope values alone may be added, with `approval.widerScopes`.
 * @param granted What the decision grants, where it says so.
 * @throws BackchannelError `invalid_scope`, `invalid_target`, `invalid_authorization_details`
 */
export function requireNarrower(
  ctx: AskContext,
  granted: { readonly [K in keyof Granted]?: Granted[K] | undefined },
  asked: RequestDetails,
): void {
  const { scope = [], resources = [], authorizationDetails = [] } = granted
  if (!ctx.settings.approval.widerScopes && !scope.every((each) => asked.scope.includes(each))) {
    throw new BackchannelError('invalid_scope', 'A decision may grant less than was asked, never more')
  }
  // an empty list would mean the default audience, which is not what was asked for
  const leavesNone = granted.resources?.length === 0 && asked.resources !== undefined
  if (leavesNone || !resources.every((each) => asked.resources?.includes(each))) {
    throw new BackchannelError(
      'invalid_target',
      'A decision may grant fewer resources than were asked for, never others',
    )
  }
  const askedDetails = asked.authorizationDetails ?? []
  if (!eachWithinItsOwn(authorizationDetails, askedDetails, (one, other) => isWithin(ctx, one, other))) {
    throw new BackchannelError(
      'invalid_authorization_details',
      'A decision may grant less than the authorization details that were asked for, never more',
    )
  }
}

/**
 * What a token request leaves of a grant: fewer resources (RFC 8707 2.2), fewer details (RFC 9396 6), and the scope
 * values that mean something there. `granted` stays as it is.
 * @throws BackchannelError `invalid_target`, `invalid_authorization_details`
 */
export async function narrowGrant(
  ctx: Context,
  grant: Grant,
  form: Pick<Form, 'values' | 'resources'>,
  client: Client,
): Promise<Grant> {
  const resources = narrowResources(ctx, form.resources, grant.resources)
  const scope = await scopeFor(ctx, resources, grant.scope, client)
  const wanted = form.values.get('authorization_details')
  const authorizationDetails = narrowDetails(ctx, wanted, grant.authorizationDetails, client)
  return omitUndefined({ ...grant, scope, resources, authorizationDetails })
}
