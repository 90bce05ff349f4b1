import { BackchannelError } from '../core/errors.ts'
import type { ManagementOptions } from './options.ts'

/**
 * Lets a caller in: first by its bearer token, then by the service it names, so that strangers learn of no service.
 * @throws BackchannelError 401, 403
 */
export async function requireAccess(
  { authorize, serviceId: served }: ManagementOptions,
  authorization: string | undefined,
  serviceId: string,
): Promise<void> {
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw refused('Send the access token of the service as bearer token', 'Bearer')
  if ((await authorize({ token, serviceId })) !== true) {
    throw refused('The access token is not good for this service', 'Bearer error="invalid_token"')
  }
  if (served === undefined || serviceId === served) return
  throw new BackchannelError('access_denied', 'There is no such service')
}

function refused(description: string, challenge: string): BackchannelError {
  return new BackchannelError('invalid_token', description, { headers: { 'WWW-Authenticate': challenge } })
}
