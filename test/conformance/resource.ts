import type { Answer } from './http.ts'
import type { Party } from './party.ts'
import type { Trial } from './trial.ts'

/** Calls the protected resource with an access token over a client's certificate. */
export function callResource(
  { config }: Trial,
  { http }: Party,
  accessToken: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return http.send(config.resource.resourceUrl, { headers: { authorization: `Bearer ${accessToken}`, ...headers } })
}
