import type { Answer, Approval, RequestRecord } from '../../contracts/request.ts'
import type { KeyBinding } from '../../contracts/tokens.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context, HeldPollSlot } from '../../core/context.ts'
import { hashOf, idOf } from '../../core/crypto/handles.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'
import { omitUndefined } from '../../core/json.ts'
import { isExpired } from '../../core/request.ts'
import { bindingAtToken } from '../authorization/keyBinding.ts'
import { narrowGrant } from '../authorization/narrow.ts'
import { type GrantSource, grantOf, type TokenAnswer, withOverrides } from './grant.ts'
import { issueTokens } from './issue.ts'

/** Who collects, and how. */
interface Collector {
  readonly call: Call
  readonly client: RegisteredClient
  readonly binding: KeyBinding
}

const pending: TokenAnswer = {
  status: 400,
  body: { error: 'authorization_pending', error_description: 'The user has not answered yet' },
}

const slowDown: TokenAnswer = {
  status: 400,
  body: { error: 'slow_down', error_description: 'Polled too early; add 5 seconds to the interval' },
}

/**
 * The CIBA grant (CIBA Core 10.1 and 11): one read of the record, and tokens for one winner.
 * @throws BackchannelError CIBA Core 11, but for `authorization_pending` and `slow_down`, which are answers.
 */
export async function redeem(
  ctx: Context,
  call: Call,
  client: RegisteredClient,
  certificateThumbprint: string | undefined,
): Promise<TokenAnswer> {
  if (client.deliveryMode === undefined || client.deliveryMode === 'push') throw mayNotCollect()
  // before anything is said about the request: a call without its key learns nothing and changes nothing
  const binding = await bindingAtToken(ctx, call, client, certificateThumbprint)
  const authReqId = call.form.values.get('auth_req_id')
  if (authReqId === undefined) throw invalidRequest('auth_req_id is missing')
  const id = idOf(authReqId)
  if (id === undefined) throw unknownId()
  const slot = ctx.longPoll?.enter(call, id, client.id)
  try {
    return await poll(ctx, { call, client, binding }, id, authReqId, slot)
  } finally {
    slot?.leave()
  }
}

async function poll(
  ctx: Context,
  collector: Collector,
  id: string,
  authReqId: string,
  slot: HeldPollSlot | undefined,
): Promise<TokenAnswer> {
  const now = ctx.clock()
  const poller = { clientId: collector.client.id, authReqIdHash: hashOf(authReqId) }
  const polled = await ctx.store.poll(id, poller, now, slot?.holdMs)
  if (polled === undefined) throw unknownId()
  const { record, early } = polled
  // frozen with the request, whatever the client is registered for by now
  if (record.deliveryMode === 'push') throw mayNotCollect()
  requireSameKey(record, collector.binding)
  const approval = approvalIn(ctx, record, now)
  if (approval !== undefined) return collect(ctx, collector, record, approval)
  if (early) {
    ctx.emit({ type: 'poll.early', request: id, clientId: record.clientId, intervalSeconds: record.intervalSeconds })
    return slowDown
  }
  if (slot === undefined) return pending
  const answered = await waitForApproval(ctx, record, slot)
  if (answered !== undefined) return collect(ctx, collector, answered.record, answered.approval)
  // the interval counts from when this poll came, and not from when it could have ended
  if (slot.isAway()) await ctx.store.release?.(id, now).catch(() => {}) // the guard has reported the outage
  return pending
}

/** The key that the request was made with is the only one that redeems (RFC 9449 10). */
function requireSameKey({ details: { dpopJkt } }: RequestRecord, binding: KeyBinding): void {
  if (dpopJkt === undefined || dpopJkt === binding.dpopJkt) return
  throw new BackchannelError('invalid_dpop_proof', 'This request belongs to another key: the one it was made with')
}

/** The approval that a held poll was waiting for; `undefined` when its time is over before. */
async function waitForApproval(ctx: Context, first: RequestRecord, slot: HeldPollSlot) {
  for (let record = first; ; ) {
    const end = await slot.wait(record.expiresAt - ctx.clock())
    if (end === 'away') return undefined
    if (end === 'answered') record = (await ctx.store.find(record.id)) ?? first
    const approval = approvalIn(ctx, record, ctx.clock())
    if (approval !== undefined) return { record, approval }
    if (end === 'time') return undefined
  }
}

async function collect(
  ctx: Context,
  { call, client, binding }: Collector,
  record: RequestRecord,
  approval: Approval,
): Promise<TokenAnswer> {
  const { id, clientId, details } = record
  const { sub } = approval
  if (!(await ctx.users.isActive(sub))) {
    throw new BackchannelError('access_denied', 'The user may not sign in any more', { status: 400 })
  }
  const source: GrantSource = withOverrides({ id, details, approval }, call.overrides)
  const whole = grantOf(ctx, source, client, binding, { accessToken: call.overrides?.accessToken })
  const grant = await narrowGrant(ctx, whole, call.form, client)
  const redeemed = await ctx.store.move(id, { from: 'approved', to: 'redeemed', now: ctx.clock() })
  if (!redeemed?.moved) throw redeemed?.record.status === 'approved' ? expired() : usedId(ctx, record)
  const body = await issueTokens(ctx, grant, client, source).catch(async (thrown) => {
    // nothing has left the server: the approval stays good for another try
    await ctx.store.move(id, { from: 'redeemed', to: 'approved', now: ctx.clock() }).catch(() => {})
    throw thrown
  })
  ctx.emit({ type: 'request.redeemed', request: id, clientId, sub })
  return { status: 200, body, issued: { grant, client } }
}

/**
 * The approval to collect, or `undefined` while the user has not answered.
 * @throws BackchannelError for every other end of a request.
 */
function approvalIn(ctx: Context, record: RequestRecord, now: number): Approval | undefined {
  const { status, answer } = record
  if (status === 'redeemed' || status === 'delivered') throw usedId(ctx, record)
  if (status === 'denied') throw refused('access_denied', 'The user declined', answer)
  if (status === 'failed') throw refused('expired_token', 'The request ended without an answer', answer)
  if (isExpired(record, now)) throw expired()
  return status === 'approved' && answer?.result === 'approved' ? answer : undefined
}

function refused(code: 'access_denied' | 'expired_token', text: string, answer: Answer | undefined): BackchannelError {
  const { errorDescription = text, errorUri } = answer === undefined || answer.result === 'approved' ? {} : answer
  return new BackchannelError(code, errorDescription, omitUndefined({ status: 400, uri: errorUri }))
}

function expired(): BackchannelError {
  return new BackchannelError('expired_token', 'The request has expired; start a new one')
}

function usedId(ctx: Context, { clientId }: RequestRecord): BackchannelError {
  ctx.emit({ type: 'replay.seen', clientId, what: 'auth_req_id' })
  return unknownId()
}

function mayNotCollect(): BackchannelError {
  return new BackchannelError('unauthorized_client', 'This client may not collect tokens with this grant')
}

function unknownId(): BackchannelError {
  return new BackchannelError('invalid_grant', 'auth_req_id is not known, was used, or belongs to another client')
}
