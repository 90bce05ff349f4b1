import type { RequestDetails, RequestRecord } from '../../contracts/request.ts'
import type { User } from '../../contracts/users.ts'
import type { AskContext } from '../../core/context.ts'
import { hashOf, linkHandle, newHandle, newId } from '../../core/crypto/handles.ts'
import { aad } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import { changed, omitUndefined } from '../../core/json.ts'
import { countPrompt, hasTooManyOpen } from '../limits/prompts.ts'
import { linkOf, linkTellsAuthReqId } from '../notice/link.ts'
import { chooseRoute } from '../notice/route.ts'
import { send } from '../notice/send.ts'
import type { Begun } from './begin.ts'

/** The answer to an accepted request (CIBA Core 7.3), and `link` for the link channel. */
export interface Acknowledgement {
  readonly auth_req_id: string
  /** Seconds. */
  readonly expires_in: number
  /** Seconds between polls; not for push clients. */
  readonly interval?: number
  readonly link?: string
}

/** What another server, which serves the client, has given out for a request. */
export interface Given {
  readonly authReqId: string
  /** How long it lives. */
  readonly seconds: number
}

/**
 * Stores a valid request, then lets the user be asked. Store first, answer, send after: a link may be tapped at once.
 * @param given What another server has told the client. Defaults to nothing: both are made here.
 * @throws BackchannelError `access_denied` when the user is asked too often, `invalid_request` for a channel that is
 * not offered or does not reach the user.
 */
export async function issue(ctx: AskContext, begun: Begun, given?: Given): Promise<Acknowledgement> {
  const { client, user, asked } = begun
  const { context, hint } = asked
  const query = { client: client.metadata, named: context?.channel, inContext: context !== undefined, user }
  const route = chooseRoute(ctx, query)
  await countPrompt(ctx, { clientId: client.id, sub: user?.sub, hint: hint.value, to: route?.to })
  // another server is told of every answer, by its auth_req_id, also where its client polls
  const tellsOutcome = given !== undefined || begun.deliveryMode !== 'poll'
  const keepsAuthReqId = tellsOutcome || linkTellsAuthReqId(ctx, client)
  const id = newId()
  const authReqId = given?.authReqId ?? newHandle(id)
  const handle = linkHandle(ctx.vault, id)
  const drafted = draft(ctx, begun, id, keepsAuthReqId ? authReqId : undefined)
  const seconds = given?.seconds ?? drafted.seconds
  const record = pendingRecord(ctx, begun, drafted, { id, authReqId, handle, seconds })
  const acknowledgement = acknowledge(record, authReqId, seconds)
  await add(ctx, record, hint.value)
  if (tellsOutcome) await keepOrFail(ctx, record)
  const { id: request, clientId, deliveryMode, sub } = record
  ctx.emit({ type: 'request.accepted', request, clientId, deliveryMode, sub })
  if (route?.channel.returnsLink) return { ...acknowledgement, link: linkOf(ctx, record, client, handle) }
  if (route !== undefined && user !== undefined) {
    send(ctx, route, { link: linkOf(ctx, record, client, handle), record, client, user })
  }
  return acknowledgement
}

/** What every stored request begins with, whether it is issued at once or waits as a ticket. */
export interface Draft {
  /** How long it will live once it is issued. */
  readonly seconds: number
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly deliveryMode: RequestRecord['deliveryMode']
  readonly intervalSeconds: number
  readonly details: RequestDetails
}

/** What is stored where another server serves the client, which has an interval of its own. */
const defaultIntervalSeconds = 5

/**
 * What is stored of a valid request. The store gets the notification token, and the `auth_req_id`, sealed.
 * @param keptAuthReqId The `auth_req_id`, where it is needed again. Else the store gets its hash alone.
 */
export function draft(
  { clock, vault, settings }: AskContext,
  begun: Omit<Begun, 'user'> & { readonly user?: User | undefined },
  id: string,
  keptAuthReqId: string | undefined,
): Draft {
  const { client, deliveryMode, intervalSeconds = defaultIntervalSeconds, asked, binding, user } = begun
  const { expirySeconds, maxExpirySeconds } = settings.requests
  const token = asked.notificationToken
  return {
    seconds: Math.min(asked.requestedExpiry ?? expirySeconds, maxExpirySeconds),
    receivedAt: clock(),
    deliveryMode,
    intervalSeconds,
    details: changed(
      asked.details,
      omitUndefined({
        dpopJkt: binding.dpopJkt,
        certificateThumbprint: binding.certificateThumbprint,
        locale: user?.locale,
        sealedNotificationToken: token === undefined ? undefined : vault.seal(token, aad('notificationToken', id)),
        notificationEndpoint:
          deliveryMode === 'poll' ? undefined : client.metadata.backchannel_client_notification_endpoint,
        sealedAuthReqId: keptAuthReqId === undefined ? undefined : vault.seal(keptAuthReqId, aad('authReqId', id)),
      }),
    ),
  }
}

/** What a request is known by, and how long it lives. */
interface Names {
  readonly id: string
  readonly authReqId: string
  /** The handle of its link. */
  readonly handle: string
  readonly seconds: number
}

/** The record of a request that waits for its user. */
function pendingRecord(
  { settings }: AskContext,
  { client, user }: Begun,
  drafted: Draft,
  { id, authReqId, handle, seconds }: Names,
): RequestRecord {
  const { deliveryMode, receivedAt, intervalSeconds, details } = drafted
  return omitUndefined({
    id,
    status: 'pending' as const,
    clientId: client.id,
    deliveryMode,
    sub: user?.sub,
    authReqIdHash: hashOf(authReqId),
    linkHash: hashOf(handle),
    receivedAt,
    expiresAt: receivedAt + seconds * 1000,
    keptUntil: receivedAt + (seconds + settings.requests.graceSeconds) * 1000,
    intervalSeconds,
    slowDowns: 0,
    details,
  })
}

/** @throws BackchannelError `access_denied` when the user has too many open requests */
async function add(ctx: AskContext, record: RequestRecord, hint: string): Promise<void> {
  const { clientId, sub } = record
  const { openRequestsPerUser } = ctx.settings.limits
  // the store counts by `sub`; users who do not exist are counted by their hint
  const tooManyOpen =
    (sub === undefined && (await hasTooManyOpen(ctx, hint))) ||
    (await ctx.store.add(record, openRequestsPerUser || undefined)) === 'too_many_open'
  if (!tooManyOpen) return
  ctx.emit(omitUndefined({ type: 'limit.hit' as const, limit: 'openRequestsPerUser', clientId, sub }))
  throw new BackchannelError('access_denied', 'The user has too many open requests; try again later')
}

/**
 * Keeps what it takes to tell the client of the answer. Without it the client would never be told: the request ends
 * here, and the client may try again.
 */
async function keepOrFail(ctx: AskContext, record: RequestRecord): Promise<void> {
  try {
    await ctx.outcomes.keep(record)
  } catch (thrown) {
    const now = ctx.clock()
    const answer = { result: 'failed', at: now, reason: 'queue' } as const
    await ctx.store.move(record.id, { from: 'pending', to: 'failed', changes: { answer }, now }).catch(() => {})
    throw thrown
  }
}

/** What the client of a request that was just stored is told. */
export function acknowledge(record: RequestRecord, authReqId: string, seconds: number): Acknowledgement {
  const acknowledgement = { auth_req_id: authReqId, expires_in: seconds }
  return record.deliveryMode === 'push' ? acknowledgement : { ...acknowledgement, interval: record.intervalSeconds }
}
