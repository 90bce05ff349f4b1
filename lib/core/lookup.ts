import type { RequestRecord } from '../contracts/request.ts'
import type { AskContext } from './context.ts'
import { hashOf, idOf, isId } from './crypto/handles.ts'
import { aad } from './crypto/vault.ts'
import { notFound } from './errors.ts'

/** What a handle of ours is. */
export type HandleKind = 'authReqId' | 'link' | 'ticket'

const hashMember = { authReqId: 'authReqIdHash', link: 'linkHash', ticket: 'ticketHash' } as const

/** Finds the record that a handle of one of these kinds leads to. A handle of another kind leads nowhere. */
export async function findByHandle(
  ctx: Pick<AskContext, 'store'>,
  handle: string,
  ...kinds: HandleKind[]
): Promise<RequestRecord | undefined> {
  const id = idOf(handle)
  const record = id === undefined ? undefined : await ctx.store.find(id)
  if (record === undefined) return undefined
  const hash = hashOf(handle)
  return kinds.some((kind) => record[hashMember[kind]] === hash) ? record : undefined
}

/**
 * Finds the request that code of the host's own names: by its public id, or by a handle of one of these kinds.
 * @throws BackchannelError `invalid_request` 404 when there is none.
 */
export async function findNamed(
  ctx: Pick<AskContext, 'store'>,
  name: string,
  ...kinds: HandleKind[]
): Promise<RequestRecord> {
  const record = isId(name) ? await ctx.store.find(name) : await findByHandle(ctx, name, ...kinds)
  if (record === undefined) throw notFound()
  return record
}

/**
 * The `auth_req_id` of a record that keeps it sealed.
 * @throws Error when the record has none, or it was sealed with another secret.
 */
export function authReqIdOf(ctx: Pick<AskContext, 'vault'>, { id, details }: RequestRecord): string {
  return ctx.vault.open(details.sealedAuthReqId ?? '', aad('authReqId', id))
}
