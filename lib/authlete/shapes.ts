import { createHash } from 'node:crypto'
import type { ClientMetadata } from '../contracts/clients.ts'
import type { AuthorizationDetail } from '../contracts/request.ts'
import type { Attributes, ManagementOptions } from './options.ts'

/** `Pair`: `{key, value}`. */
export function pairs(attributes: Attributes | undefined) {
  return attributes && Object.entries(attributes).map(([key, value]) => ({ key, value }))
}

/** `Scope`, as far as a server without a registry of scopes knows it. */
export function scopes(names: readonly string[]) {
  return names.map((name) => ({ name, defaultEntry: false }))
}

/** Authlete's names are the registered names in capitals: `poll` is `POLL`, `private_key_jwt` is `PRIVATE_KEY_JWT`. */
export function capitals(name: string | undefined): string | undefined {
  return name?.toUpperCase()
}

/**
 * Authlete's clients are numbers, with the host's own id as alias. An id that is a number is that number; any other
 * gets one of its own, always the same, from its hash.
 */
export function clientNumber(id: string): { clientId: number; clientIdAlias?: string; clientIdAliasUsed: boolean } {
  const number = Number(id)
  if (/^[1-9]\d*$/.test(id) && Number.isSafeInteger(number)) return { clientId: number, clientIdAliasUsed: false }
  const hashed = createHash('sha256').update(id).digest().readBigUInt64BE() >> 11n
  return { clientId: Number(hashed), clientIdAlias: id, clientIdAliasUsed: true }
}

/** `AuthzDetails`: what RFC 9396 2.2 names has a member of its own, the rest is JSON text in `otherFields`. */
export function authzDetails(details: readonly AuthorizationDetail[] | undefined) {
  return details && { elements: details.map(element) }
}

const lists = { locations: 'locations', actions: 'actions', datatypes: 'dataTypes', privileges: 'privileges' } as const

function element({ type, ...members }: AuthorizationDetail) {
  const named: Record<string, unknown> = { type }
  const others: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(members)) {
    if (Object.hasOwn(lists, name) && isTexts(value)) named[lists[name as keyof typeof lists]] = value
    else if (name === 'identifier' && typeof value === 'string') named.identifier = value
    else others[name] = value
  }
  return Object.keys(others).length === 0 ? named : { ...named, otherFields: JSON.stringify(others) }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

/** What every answer says of its client and service. There are no federation entities and client metadata documents. */
export function about({ serviceAttributes, clientAttributes }: ManagementOptions, client: ClientMetadata) {
  return {
    ...clientNumber(client.client_id),
    clientEntityIdUsed: false,
    metadataDocumentUsed: false,
    clientName: client.client_name ?? client.client_id,
    serviceAttributes: pairs(serviceAttributes),
    clientAttributes: pairs(clientAttributes?.({ client })),
  }
}
