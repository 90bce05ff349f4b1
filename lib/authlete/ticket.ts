import type { DeliveryMode } from '../contracts/clients.ts'
import type { ErrorCode } from '../contracts/errors.ts'
import type { RequestRecord } from '../contracts/request.ts'
import type { RegisteredClient } from '../core/client.ts'
import type { Context } from '../core/context.ts'
import { hashOf, newHandle, newId } from '../core/crypto/handles.ts'
import { BackchannelError, invalidRequest, notFound } from '../core/errors.ts'
import type { Call } from '../core/http/call.ts'
import { omitUndefined } from '../core/json.ts'
import { authReqIdOf, findByHandle } from '../core/lookup.ts'
import { complete } from '../protocol/approval/complete.ts'
import type { Decision } from '../protocol/approval/decision.ts'
import { countFailedHint, countPrompt } from '../protocol/limits/prompts.ts'
import { validate } from '../protocol/request/begin.ts'
import { readIdTokenHint } from '../protocol/request/hint.ts'
import { type Acknowledgement, acknowledge, draft } from '../protocol/request/issue.ts'
import type { Asked } from '../protocol/request/parse.ts'
import { sendsUserCode } from '../protocol/request/user.ts'

/** Seconds in which a ticket has to be issued, or is worthless. */
const ticketSeconds = 600

/** A valid request that waits for its issue. The ticket is the handle of the backend that looks its user up. */
export interface Received {
  readonly ticket: string
  readonly client: RegisteredClient
  readonly deliveryMode: DeliveryMode
  readonly asked: Asked
  /** The host's subject behind an `id_token_hint`. */
  readonly subject: string | undefined
}

/**
 * Validates a request and stores it as a ticket. The holder of the ticket looks the user up, and names them at the end.
 * @throws BackchannelError for the client.
 */
export async function receive(ctx: Context, call: Call): Promise<Received> {
  const valid = await validate(ctx, call)
  const { client, deliveryMode, asked } = valid
  requireUserCode(ctx, client, asked)
  const { name, value } = asked.hint
  const subject = name === 'id_token_hint' ? (await readIdTokenHint(ctx, value, client)).value : undefined
  await countPrompt(ctx, { clientId: client.id, sub: subject, hint: value, to: undefined })
  // the auth_req_id is sealed in any case: details do not change any more when the request is issued
  const id = newId()
  const { seconds, receivedAt, intervalSeconds, details } = draft(ctx, valid, id, newHandle(id))
  const ticket = newHandle(id)
  const end = receivedAt + ticketSeconds * 1000
  const record: RequestRecord = omitUndefined({
    id,
    status: 'received' as const,
    clientId: client.id,
    deliveryMode,
    receivedAt,
    intervalSeconds,
    slowDowns: 0,
    details,
    ticketHash: hashOf(ticket),
    lifetimeSeconds: seconds,
    hintHash: subject === undefined ? hashOf(value) : undefined,
    expiresAt: end,
    keptUntil: end,
  })
  await ctx.store.add(record)
  return { ticket, client, deliveryMode, asked, subject }
}

/** Only the holder of the ticket knows which users need a code: a client that is registered for it always sends one. */
function requireUserCode(ctx: Context, client: RegisteredClient, { userCode }: Asked): void {
  if (!sendsUserCode(ctx, client)) return
  if (userCode === undefined) throw new BackchannelError('missing_user_code', 'user_code is missing')
}

/** Gives the request its `auth_req_id`. Once: `undefined` for a ticket that is unknown, over or used. */
export async function issueTicket(ctx: Context, ticket: string): Promise<Acknowledgement | undefined> {
  const received = await findByHandle(ctx, ticket, 'ticket')
  if (received?.status !== 'received') return undefined
  const { id, clientId, deliveryMode, lifetimeSeconds: seconds = ticketSeconds } = received
  const authReqId = authReqIdOf(ctx, received)
  const now = ctx.clock()
  const changes = {
    authReqIdHash: hashOf(authReqId),
    expiresAt: now + seconds * 1000,
    keptUntil: now + (seconds + ctx.settings.requests.graceSeconds) * 1000,
  }
  const issued = await ctx.store.move(id, { from: 'received', to: 'pending', changes, now })
  if (!issued?.moved) return undefined
  ctx.emit({ type: 'request.accepted', request: id, clientId, deliveryMode })
  return acknowledge(issued.record, authReqId, seconds)
}

/**
 * Ends a request that was not issued. Repeating it for the same reason is no error.
 * @throws BackchannelError `invalid_request` for a ticket that is unknown, over, issued, or refused for another reason.
 */
export async function failTicket(ctx: Context, ticket: string, reason: ErrorCode): Promise<void> {
  const received = await findByHandle(ctx, ticket, 'ticket')
  if (received === undefined) throw unusable()
  const { id, clientId } = received
  const now = ctx.clock()
  const answer = { result: 'failed', at: now, reason } as const
  const ended = await ctx.store.move(id, { from: 'received', to: 'failed', changes: { answer }, now })
  if (!ended?.moved) {
    const stands = ended?.record.authReqIdHash === undefined ? ended?.record.answer : undefined
    if (stands?.result === 'failed' && stands.reason === reason) return
    throw unusable()
  }
  ctx.emit({ type: 'request.refused', clientId, error: reason })
  if (reason === 'unknown_user_id') await countFailedHint(ctx, clientId)
}

/**
 * Settles an issued request by its ticket, whose holder says who the user is. The first answer stands, and repeating it
 * is no error.
 * @throws BackchannelError as `complete` does, and `invalid_request` 404 for a ticket that is unknown.
 */
export async function completeTicket(ctx: Context, ticket: string, decision: Decision): Promise<RequestRecord> {
  const record = await findByHandle(ctx, ticket, 'ticket')
  if (record === undefined) throw notFound()
  return complete(ctx, record, decision, { namesUser: true })
}

function unusable(): BackchannelError {
  return invalidRequest('The ticket is not known, is over, or was used')
}
