import type { RequestRecord } from '../contracts/request.ts'
import type { AskContext } from './context.ts'
import { hashOf, idOf, isId } from './crypto/handles.ts'
import { aad } from './crypto/vault.ts'

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

/** Finds the request that code of the host's own names: by its `auth_req_id`, the handle of its link, or its public id. */
export function findNamed(ctx: Pick<AskContext, 'store'>, name: string): Promise<RequestRecord | undefined> {
  return isId(name) ? ctx.store.find(name) : findByHandle(ctx, name, 'authReqId', 'link')
}

/** As `authReqIdOf`; `undefined` where it cannot be read: the option `secret` or `keys` was not kept. */
export function readAuthReqId(ctx: Pick<AskContext, 'vault'>, record: RequestRecord): string | undefined {
  try {
    return authReqIdOf(ctx, record)
  } catch {
    return undefined
  }
}

/**
 * The `auth_req_id` of a record that keeps it sealed.
 * @throws Error when the record has none, or it was sealed with another secret.
 */
export function authReqIdOf(ctx: Pick<AskContext, 'vault'>, { id, details }: RequestRecord): string {
  return ctx.vault.open(details.sealedAuthReqId ?? '', aad('authReqId', id))
}
