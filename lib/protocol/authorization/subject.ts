import type { ClientMetadata } from '../../contracts/clients.ts'
import type { RequestDetails } from '../../contracts/request.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext, Context } from '../../core/context.ts'
import { requestedValues } from './claims.ts'

/**
 * The user's name for this client: public or pairwise (OpenID Connect Core 8, CIBA Core 4). A pairwise name is the
 * subject, encrypted with the server's secret: nothing has to be stored, and without the secret it does not show what
 * it stands for, or that two sectors mean one user.
 * @param sub The host's name for the user.
 */
export function subjectFor({ vault }: Pick<AskContext, 'vault'>, client: ClientMetadata, sub: string): string {
  return isPairwise(client) ? vault.encryptSubject(sub, subjectAad(client)) : sub
}

/** The host's name for the user behind a name that this client was given; `undefined` when it is none of ours. */
export function subjectBehind(
  { vault }: Pick<AskContext, 'vault'>,
  client: ClientMetadata,
  name: string,
): string | undefined {
  return isPairwise(client) ? vault.decryptSubject(name, subjectAad(client)) : name
}

/** What is wrong with the client's registration for its subjects, in words for the host's log; `undefined`: nothing. */
export function subjectProblem({ settings }: Context, client: ClientMetadata): string | undefined {
  if (!isPairwise(client)) return undefined
  if (!settings.hasOwnSecret) {
    return 'pairwise subjects need the option "secret": without it they would change with the keys'
  }
  return sectorOf(client) === undefined ? 'sector_identifier_uri is needed for pairwise subjects' : undefined
}

/**
 * Is this the user whose `sub` the request demands (OpenID Connect Core 5.5.1)? Yes where it demands none.
 * @throws Error when the user cannot be named for this client: asked before the user is.
 */
export function matchesRequestedSub(ctx: AskContext, client: Client, details: RequestDetails, sub: string): boolean {
  const name = subjectFor(ctx, client.metadata, sub)
  return details.claims === undefined || (requestedValues(details.claims, 'sub')?.includes(name) ?? true)
}

function isPairwise({ subject_type }: ClientMetadata): boolean {
  return subject_type === 'pairwise'
}

function subjectAad(client: ClientMetadata): string {
  const sector = sectorOf(client)
  if (sector === undefined) throw new Error(`client "${client.client_id}" has no sector for pairwise subjects`)
  return `sub ${sector}`
}

/** The host of `sector_identifier_uri`, else of `jwks_uri` (poll, ping) or of the notification endpoint (push). */
function sectorOf(client: ClientMetadata): string | undefined {
  const { backchannel_token_delivery_mode: mode, backchannel_client_notification_endpoint: endpoint } = client
  const uri = client.sector_identifier_uri ?? (mode === 'push' ? endpoint : client.jwks_uri)
  return uri !== undefined && URL.canParse(uri) ? new URL(uri).hostname : undefined
}
