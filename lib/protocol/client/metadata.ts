import type { z } from 'zod'
import type { ClientMetadata, Clients } from '../../contracts/clients.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { ClientDirectory } from '../../core/context.ts'
import { type Guard, wrongResult } from '../../core/guards/guard.ts'
import { omitUndefined } from '../../core/json.ts'
import { metadataRules, metadataSchema } from './metadataSchema.ts'

/**
 * Checks a client's metadata (CIBA Core 4, RFC 7591) and gives it its defaults, as this package does before it uses it.
 * For registration endpoints and checks at start.
 * @throws TypeError that names the client, the member and what it must be.
 * @example
 * ```ts
 * const { authMethod, deliveryMode } = readClient(metadata)
 * ```
 */
export function readClient(metadata: ClientMetadata): RegisteredClient {
  const result = metadataSchema.safeParse(metadata)
  if (!result.success) throw wrong(metadata, explain(result.error.issues[0]))
  const checked = result.data
  for (const rule of metadataRules) {
    const problem = rule(checked)
    if (problem !== undefined) throw wrong(metadata, problem)
  }
  const { client_id, client_name = client_id, scope } = checked
  return omitUndefined({
    id: client_id,
    name: client_name,
    authMethod: checked.token_endpoint_auth_method,
    deliveryMode: checked.backchannel_token_delivery_mode,
    scope: scope === undefined ? undefined : new Set(scope.split(' ')),
    metadata,
  })
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined || issue.path.length === 0) return 'the metadata must be an object'
  const name = issue.path.join('.')
  return `${name} ${issue.message.startsWith('must') ? issue.message : `is not valid: ${issue.message}`}`
}

function wrong(metadata: ClientMetadata, what: string): TypeError {
  const label = typeof metadata?.client_id === 'string' ? `"${metadata.client_id}"` : 'without client_id'
  return new TypeError(`client ${label}: ${what}`)
}

/**
 * The host's clients, guarded, with their metadata checked. The result is remembered for each object, as long as its
 * members stay the same: replace nested members, do not change them in place. Finding rejects with a TypeError for a wrong
 * registration.
 */
export function createClientDirectory(clients: Clients, guard: Guard): ClientDirectory<RegisteredClient> {
  const known = new WeakMap<ClientMetadata, { readonly copy: ClientMetadata; readonly client: RegisteredClient }>()

  function read(metadata: ClientMetadata | undefined | null): RegisteredClient | undefined {
    if (metadata === undefined || metadata === null) return undefined
    if (typeof metadata !== 'object' || Array.isArray(metadata))
      throw wrongResult('clients.find', 'what is not an object')
    const remembered = known.get(metadata)
    if (remembered !== undefined && hasSameMembers(metadata, remembered.copy)) return remembered.client
    const client = readClient(metadata)
    known.set(metadata, { copy: { ...metadata }, client })
    return client
  }

  return { find: guard.wrap('clients', 'clients.find', (clientId) => clients.find({ clientId }), read) }
}

function hasSameMembers(a: ClientMetadata, b: ClientMetadata): boolean {
  let count = 0
  for (const name in a) {
    if (a[name] !== b[name]) return false
    count += 1
  }
  for (const _ in b) count -= 1
  return count === 0
}
