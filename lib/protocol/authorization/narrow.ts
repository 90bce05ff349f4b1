import { BackchannelError } from '../../core/errors.ts'
import type { AuthorizationDetail, RequestDetails } from '../../core/request.ts'
import { eachWithinItsOwn } from '../../core/timeout.ts'

/** Is what is granted no more than what was asked? The host may say so, type by type. */
export type IsWithin = (granted: AuthorizationDetail, asked: AuthorizationDetail) => boolean

/** What a decision grants, where it says so. */
export interface Granted {
  readonly scope?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
}

/**
 * A decision may grant less than was asked, never more; scope values alone may be added where the host allowed that.
 * @throws BackchannelError `invalid_scope`, `invalid_target`, `invalid_authorization_details`
 */
export function requireNarrower(
  granted: Granted,
  asked: RequestDetails,
  widerScopes: boolean,
  isWithin: IsWithin,
): void {
  const { scope = [], resources = [], authorizationDetails = [] } = granted
  if (!widerScopes && !scope.every((each) => asked.scope.includes(each))) {
    throw new BackchannelError('invalid_scope', 'A decision may grant less than was asked, never more')
  }
  // none at all would be a token for the default audience, which is another one
  const leavesNone = granted.resources?.length === 0 && asked.resources !== undefined
  if (leavesNone || !resources.every((each) => asked.resources?.includes(each))) {
    throw new BackchannelError(
      'invalid_target',
      'A decision may grant fewer resources than were asked for, never others',
    )
  }
  if (!eachWithinItsOwn(authorizationDetails, asked.authorizationDetails ?? [], isWithin)) {
    throw new BackchannelError(
      'invalid_authorization_details',
      'A decision may grant less than the authorization details that were asked for, never more',
    )
  }
}
