import type { GrantRecord, RequestRecord, Rotation } from '../contracts/request.ts'
import type { BackchannelStore, Poller } from '../contracts/store.ts'
import { hashOf, newHandle, newId } from '../core/crypto/handles.ts'
import { changed } from '../core/json.ts'

/** A pending record as the engine makes them. */
export function requestRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  const id = newId()
  const receivedAt = changes.receivedAt ?? Date.now()
  const record: RequestRecord = {
    id,
    status: 'pending',
    clientId: 'client',
    deliveryMode: 'poll',
    sub: `user-${id}`,
    authReqIdHash: hashOf(newHandle(id)),
    linkHash: hashOf(newHandle(id)),
    receivedAt,
    expiresAt: receivedAt + 600_000,
    keptUntil: receivedAt + 720_000,
    intervalSeconds: 5,
    slowDowns: 0,
    details: { scope: ['openid'] },
  }
  return changed(record, changes)
}

/** A pending record that was just added. */
export async function addedRecord(store: BackchannelStore): Promise<RequestRecord> {
  const record = requestRecord()
  await store.add(record)
  return record
}

/** The client that the record belongs to. */
export function pollerOf({ clientId, authReqIdHash = '' }: RequestRecord): Poller {
  return { clientId, authReqIdHash }
}

/** A refresh token family as the engine makes them. */
export function grantRecord(): GrantRecord {
  const id = newId()
  const now = Date.now()
  return {
    id,
    clientId: 'client',
    sub: 'user',
    request: newId(),
    tokenHash: hashOf(newHandle(id)),
    issuedAt: now,
    expiresAt: now + 600_000,
    details: { scope: ['openid'] },
    approval: { result: 'approved', at: now, sub: 'user', scope: ['openid'] },
  }
}

/** A rotation at this moment, with 10 seconds of grace. */
export function rotation(from: string, to: string): Rotation {
  const now = Date.now()
  return { from, to, expiresAt: now + 600_000, previousUntil: now + 10_000, now }
}
