import type { BackchannelStore } from '../contracts/contracts.ts'
import { hashOf, idOf } from './crypto/vault.ts'
import type { RequestRecord } from './request.ts'

/** What a handle of ours opens. */
export type HandleKind = 'authReqId' | 'link' | 'ticket'

const hashMember = { authReqId: 'authReqIdHash', link: 'linkHash', ticket: 'ticketHash' } as const

/** Finds the record behind a handle. A handle of another kind opens nothing. */
export function createFindByHandle(store: BackchannelStore) {
  return async (handle: string, ...kinds: HandleKind[]): Promise<RequestRecord | undefined> => {
    const id = idOf(handle)
    if (id === undefined) return undefined
    const record = await store.find(id)
    if (record === undefined) return undefined
    const hash = hashOf(handle)
    return kinds.some((kind) => record[hashMember[kind]] === hash) ? record : undefined
  }
}
