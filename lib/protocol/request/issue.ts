import type { BackchannelStore, Client } from '../../contracts/contracts.ts'
import { hashOf, linkHandle, type Vault } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { RequestRecord } from '../../core/request.ts'
import type { Route } from '../notice/route.ts'
import type { Telling } from '../notice/send.ts'
import type { Begun } from './begin.ts'
import type { createDraft, Given } from './draft.ts'

/** The answer to an accepted request (CIBA Core 7.3), and `link` for the link channel. */
export interface Acknowledgement {
  readonly auth_req_id: string
  /** Seconds. */
  readonly expires_in: number
  /** Seconds between polls; not for push clients. */
  readonly interval?: number
  readonly link?: string
}

export interface IssueParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  readonly vault: Vault
  readonly emit: Emit
  draft: ReturnType<typeof createDraft>
  readonly graceSeconds: number
  readonly openRequestsPerUser: number
  /** Chooses the way to the user before anything is stored. */
  chooseRoute(begun: Begun): Route | undefined
  /** Throws when the user is asked too often. */
  countPrompt(begun: Begun, route: Route | undefined): Promise<void>
  /** The same limit for users who do not exist, whom the store does not count. */
  hasTooManyOpen(begun: Begun): Promise<boolean>
  /** The URL that the user is told. `handle`: the link's own, where it is at hand. */
  linkOf(record: RequestRecord, client: Client, handle?: string): string
  /** Does the link carry the `auth_req_id` itself? */
  linkTellsAuthReqId(client: Client): boolean
  /** Keeps a job for a ping or push to come. Rejects when it cannot. */
  keepJob(record: RequestRecord): Promise<void>
  /** Takes the notice to the user, in its own time. */
  send(route: Route, telling: Telling): void
}

/**
 * Stores a valid request, then lets the user be asked. Store first, answer, send after: a link may be tapped at once.
 * `given`: what another server has told the client; without it both are made here.
 */
export function createIssue(parts: IssueParts) {
  const { store, clock, vault, emit } = parts

  return async (begun: Begun, given?: Given): Promise<Acknowledgement> => {
    const { client, user } = begun
    const route = parts.chooseRoute(begun)
    await parts.countPrompt(begun, route)
    const draft = parts.draft(begun, parts.linkTellsAuthReqId(client), given)
    const { id, authReqId, seconds, deliveryMode, receivedAt, intervalSeconds, details } = draft
    const handle = linkHandle(vault, id)
    const whom = user === undefined ? {} : { sub: user.sub }
    const record: RequestRecord = {
      id,
      status: 'pending',
      clientId: client.id,
      deliveryMode,
      authReqIdHash: hashOf(authReqId),
      linkHash: hashOf(handle),
      receivedAt,
      expiresAt: receivedAt + seconds * 1000,
      keptUntil: receivedAt + (seconds + parts.graceSeconds) * 1000,
      intervalSeconds,
      slowDowns: 0,
      details: user?.locale === undefined ? details : { ...details, locale: user.locale },
      ...whom,
    }
    const tooManyOpen =
      (user === undefined && (await parts.hasTooManyOpen(begun))) ||
      (await store.add(record, parts.openRequestsPerUser || undefined)) === 'too_many_open'
    if (tooManyOpen) {
      emit({ type: 'limit.hit', limit: 'openRequestsPerUser', clientId: client.id, ...whom })
      throw new BackchannelError('access_denied', 'The user has too many open requests; try again later')
    }
    if (deliveryMode !== 'poll') await keepJobOrFail(record)
    emit({ type: 'request.accepted', request: id, clientId: client.id, deliveryMode, ...whom })
    const returnsLink = route?.channel.returnsLink === true
    if (route !== undefined && !returnsLink && user !== undefined) {
      parts.send(route, { link: parts.linkOf(record, client, handle), record, client, user })
    }
    return {
      ...acknowledge(record, authReqId, seconds),
      ...(returnsLink ? { link: parts.linkOf(record, client, handle) } : {}),
    }
  }

  /** Without its job a request would never be announced: it ends here, and the client may try again. */
  async function keepJobOrFail(record: RequestRecord): Promise<void> {
    try {
      await parts.keepJob(record)
    } catch (thrown) {
      const now = clock()
      const answer = { result: 'failed', at: now, reason: 'queue' } as const
      await store.move(record.id, { from: 'pending', to: 'failed', changes: { answer }, now }).catch(() => {})
      throw thrown
    }
  }
}

/** What the client of a request that was just stored is told. */
export function acknowledge(record: RequestRecord, authReqId: string, seconds: number): Acknowledgement {
  const { deliveryMode, intervalSeconds } = record
  return {
    auth_req_id: authReqId,
    expires_in: seconds,
    ...(deliveryMode === 'push' ? {} : { interval: intervalSeconds }),
  }
}
