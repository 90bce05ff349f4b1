import type { Client } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import { present } from '../../core/omitUndefined.ts'
import type { AuthorizationDetail, RequestDetails } from '../../core/request.ts'
import { isEssential, type RequestedClaims, readClaims, wantedAcrs } from '../authorization/claims.ts'
import type { Parameters } from './parameters.ts'

/** What a request may ask for besides CIBA's own parameters. */
export type Extras = Pick<
  RequestDetails,
  'resources' | 'authorizationDetails' | 'claims' | 'grantManagementAction' | 'grantId'
>

export interface ExtrasParts {
  /** `acr` values that the host's login can reach. */
  readonly acrValues: readonly string[]
  /** Somebody is there to manage grants: the host's own issuer. Without it those parameters are unknown ones. */
  readonly grantManagement: boolean
  readResources(uris: readonly string[], client: Client): Promise<readonly string[]>
  readAuthorizationDetails(value: unknown, client: Client): readonly AuthorizationDetail[] | undefined
}

/** Reads `resource`, `authorization_details`, `claims` and grant management (RFC 8707, RFC 9396, OIDC 5.5). */
export function createReadExtras(parts: ExtrasParts) {
  return async (parameters: Parameters, client: Client): Promise<Extras> => {
    const resources = await parts.readResources(parameters.resources, client)
    const authorizationDetails = parts.readAuthorizationDetails(parameters.get('authorization_details'), client)
    const claims = readClaims(parameters.get('claims'))
    requireReachable(claims)
    return present({
      resources: resources.length === 0 ? undefined : resources,
      authorizationDetails,
      claims,
      ...(parts.grantManagement ? readGrantManagement(parameters) : {}),
    })
  }

  /** Nobody is asked in vain: an essential `acr` that no login reaches would fail in the end (OIDC 5.5.1.1). */
  function requireReachable(claims: RequestedClaims | undefined): void {
    const values = isEssential(claims, 'acr') ? wantedAcrs(claims) : undefined
    if (values === undefined || values.some((acr) => parts.acrValues.includes(acr))) return
    throw new BackchannelError('access_denied', 'No login here reaches the acr that is essential')
  }
}

function readGrantManagement(parameters: Parameters): Pick<Extras, 'grantManagementAction' | 'grantId'> {
  const action = parameters.get('grant_management_action')
  const grantId = parameters.get('grant_id')
  if (action !== undefined && action !== 'create' && action !== 'replace' && action !== 'merge') {
    throw invalid('grant_management_action must be create, replace or merge')
  }
  if (grantId !== undefined && (typeof grantId !== 'string' || grantId.length > 512)) {
    throw invalid('grant_id must be a string of 512 characters at most')
  }
  const needsId = action === 'replace' || action === 'merge'
  if (needsId !== (grantId !== undefined)) {
    throw invalid('grant_id goes with the grant_management_action replace or merge')
  }
  return present({ grantManagementAction: action, grantId })
}

function invalid(description: string): BackchannelError {
  return new BackchannelError('invalid_request', description)
}
