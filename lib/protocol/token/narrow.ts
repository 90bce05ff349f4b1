import type { Client, Form } from '../../contracts/contracts.ts'
import { present } from '../../core/omitUndefined.ts'
import type { createAuthorizationDetails } from '../authorization/authorizationDetails.ts'
import type { createResources } from '../authorization/resources.ts'
import type { Grant } from './grant.ts'

export interface NarrowParts {
  readonly resources: Pick<ReturnType<typeof createResources>, 'narrow' | 'scopeFor'>
  readonly authorizationDetails: Pick<ReturnType<typeof createAuthorizationDetails>, 'narrow'>
}

/**
 * What a token request leaves of a grant: fewer resources (RFC 8707 2.2), fewer details (RFC 9396 6), and the scope
 * values that mean something there. What was granted stays as it is.
 * @throws BackchannelError `invalid_target`, `invalid_authorization_details`
 */
export function createNarrow({ resources, authorizationDetails }: NarrowParts) {
  return async (grant: Grant, form: Pick<Form, 'values' | 'resources'>, client: Client): Promise<Grant> => {
    const uris = resources.narrow(form.resources, grant.resources)
    const { authorizationDetails: granted, ...rest } = grant
    const wanted = form.values.get('authorization_details')
    return {
      ...rest,
      scope: await resources.scopeFor(uris, grant.scope, client.metadata),
      resources: uris,
      ...present({ authorizationDetails: authorizationDetails.narrow(wanted, granted, client.metadata) }),
    }
  }
}
