import type { ClientMetadata } from '../../contracts/contracts.ts'
import type { Vault } from '../../core/crypto/vault.ts'

/** Names that users have for clients. */
export interface Subjects {
  /** The user's name for this client. */
  nameFor(client: ClientMetadata, sub: string): string
  /** The host's subject behind a name that this client was given; `undefined` when it is none of ours. */
  subjectOf(client: ClientMetadata, name: string): string | undefined
  /** What is wrong with the client's registration, in words for the host's log; `undefined`: nothing. */
  problemOf(client: ClientMetadata): string | undefined
}

/**
 * Public and pairwise subjects (OpenID Connect Core 8, CIBA Core 4). A pairwise name is the subject under the server's
 * secret, so nothing has to be stored, and nobody else can tell what it stands for or that two sectors mean one user.
 * @param stable The secret is the host's own, and outlives a change of keys.
 */
export function createSubjects(vault: Pick<Vault, 'disguise' | 'reveal'>, stable: boolean): Subjects {
  return {
    nameFor: (client, sub) => (isPairwise(client) ? vault.disguise(sub, contextOf(client)) : sub),
    subjectOf: (client, name) => (isPairwise(client) ? vault.reveal(name, contextOf(client)) : name),
    problemOf(client) {
      if (!isPairwise(client)) return undefined
      if (!stable) return 'pairwise subjects need the option "secret": without it they would change with the keys'
      return sectorOf(client) === undefined ? 'sector_identifier_uri is needed for pairwise subjects' : undefined
    },
  }
}

function isPairwise({ subject_type }: ClientMetadata): boolean {
  return subject_type === 'pairwise'
}

function contextOf(client: ClientMetadata): string {
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
