import type { BackchannelStore, Call, Client, Form } from '../../contracts/contracts.ts'
import { hashOf, idOf } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { Approval, Refusal, RequestRecord } from '../../core/request.ts'
import { isExpired } from '../../core/request.ts'
import type { Binding } from '../authorization/keyBinding.ts'
import type { Grant, GrantOf, GrantSource } from './grant.ts'
import type { LongPoll, Place } from './longPoll.ts'
import type { TokenResponse } from './mint.ts'
import { wantedOf } from './wants.ts'

/** An answer of the token endpoint. The pending ones are values, not errors: most polls end in one. */
export interface TokenAnswer {
  readonly status: number
  readonly body: TokenResponse | string
  readonly headers?: Readonly<Record<string, string>>
  /** Whose tokens they are. */
  readonly sub?: string
  /** What the tokens were made of. */
  readonly grant?: Grant
}

export interface RedeemParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  readonly emit: Emit
  /** May this user act now? */
  isActive(sub: string): Promise<boolean>
  /** What the tokens of this call are bound to. */
  readBinding(call: Call, client: Client, certificateThumbprint: string | undefined): Promise<Binding>
  readonly grantOf: GrantOf
  /** What the token request leaves of a grant. */
  narrow(grant: Grant, form: Form, client: Client): Promise<Grant>
  issueTokens(grant: Grant, client: Client, source: GrantSource): Promise<TokenResponse>
  /** Absent: every poll is answered at once. */
  readonly longPoll: LongPoll | undefined
}

/** What is asked for, by whom. */
interface Asked {
  readonly call: Call
  readonly client: Client
  readonly binding: Binding
  readonly id: string
  readonly authReqId: string
}

const pending: TokenAnswer = refusal('authorization_pending', 'The user has not answered yet')
const slowDown: TokenAnswer = refusal('slow_down', 'Polled too early; add 5 seconds to the interval')

/** The CIBA grant (CIBA Core 10.1 and 11): one look at the record, and tokens for one winner. */
export function createRedeem(parts: RedeemParts) {
  const { store, clock, emit, isActive, readBinding, grantOf, narrow, issueTokens, longPoll } = parts

  return async (call: Call, client: Client, certificateThumbprint: string | undefined): Promise<TokenAnswer> => {
    if (client.deliveryMode === undefined || client.deliveryMode === 'push') {
      throw pushed()
    }
    // before anything is said about the request: a call without its key learns nothing and changes nothing
    const binding = await readBinding(call, client, certificateThumbprint)
    const authReqId = call.form.values.get('auth_req_id')
    if (authReqId === undefined) throw new BackchannelError('invalid_request', 'auth_req_id is missing')
    const id = idOf(authReqId)
    if (id === undefined) throw unknownId()
    const asked = { call, client, binding, id, authReqId }
    const place = longPoll?.enter(call, id, client.id)
    if (place === undefined) return poll(asked)
    try {
      return await poll(asked, place)
    } finally {
      place.leave()
    }
  }

  async function poll({ call, client, binding, id, authReqId }: Asked, place?: Place): Promise<TokenAnswer> {
    const now = clock()
    const poller = { clientId: client.id, authReqIdHash: hashOf(authReqId) }
    const polled = await store.poll(id, poller, now, place?.holdMs)
    if (polled === undefined) throw unknownId()
    const { record, early } = polled
    // frozen with the request, whatever the client is registered for by now
    if (record.deliveryMode === 'push') throw pushed()
    const { dpopJkt } = record.details
    if (dpopJkt !== undefined && dpopJkt !== binding.dpopJkt) {
      throw new BackchannelError('invalid_dpop_proof', 'This request belongs to another key: the one it was made with')
    }
    const approval = approvalIn(record, now, emit)
    if (approval !== undefined) return collect(call, record, approval, client, binding)
    if (early) {
      emit({ type: 'poll.early', request: id, clientId: client.id, intervalSeconds: record.intervalSeconds })
      return slowDown
    }
    if (place === undefined) return pending
    const answered = await waitFor(record, place)
    if (answered !== undefined) return collect(call, answered.record, answered.approval, client, binding)
    // this poll counts from when it came, and not for as long as it might have stayed
    if (place.isAway()) await store.release?.(id, now).catch(() => {}) // an outage is reported by the guard
    return pending
  }

  /** The approval that a held poll was waiting for; `undefined` when its time is over before. */
  async function waitFor(first: RequestRecord, place: Place) {
    for (let record = first; ; ) {
      const ending = await place.wait(record.expiresAt - clock())
      if (ending === 'away') return undefined
      if (ending === 'answered') record = (await store.find(record.id)) ?? first
      const approval = approvalIn(record, clock(), emit)
      if (approval !== undefined) return { record, approval }
      if (ending === 'time') return undefined
    }
  }

  async function collect(
    { form, wants }: Call,
    record: RequestRecord,
    approval: Approval,
    client: Client,
    binding: Binding,
  ): Promise<TokenAnswer> {
    const { id, clientId } = record
    const { sub } = approval
    if (!(await isActive(sub))) {
      throw new BackchannelError('access_denied', 'The user may not sign in any more', { status: 400 })
    }
    const { source, extra } = wantedOf({ ...record, approval }, wants)
    const grant = await narrow(grantOf(source, client, binding, extra), form, client)
    const redeemed = await store.move(id, { from: 'approved', to: 'redeemed', now: clock() })
    if (!redeemed?.moved) throw redeemed?.record.status === 'approved' ? expired() : usedId(record, emit)
    const body = await issueTokens(grant, client, source).catch(async (thrown) => {
      // nothing has left the server: the approval stays good for another try
      await store.move(id, { from: 'redeemed', to: 'approved', now: clock() }).catch(() => {})
      throw thrown
    })
    emit({ type: 'request.redeemed', request: id, clientId, sub })
    return { status: 200, body, sub, grant }
  }
}

/** The approval to collect, or `undefined` while the user has not answered. Everything final is an error. */
function approvalIn(record: RequestRecord, now: number, emit: Emit): Approval | undefined {
  const { status, answer } = record
  if (status === 'redeemed' || status === 'delivered') throw usedId(record, emit)
  if (status === 'denied') throw refused('access_denied', 'The user declined', answer as Refusal)
  if (status === 'failed') throw refused('expired_token', 'The request ended without an answer', answer as Refusal)
  if (isExpired(record, now)) throw expired()
  return status === 'approved' ? (answer as Approval) : undefined
}

function refused(code: 'access_denied' | 'expired_token', text: string, answer: Refusal): BackchannelError {
  return new BackchannelError(code, answer.errorDescription ?? text, {
    status: 400,
    ...(answer.errorUri === undefined ? {} : { uri: answer.errorUri }),
  })
}

function expired(): BackchannelError {
  return new BackchannelError('expired_token', 'The request has expired; start a new one')
}

function usedId(record: RequestRecord, emit: Emit): BackchannelError {
  emit({ type: 'replay.seen', clientId: record.clientId, what: 'auth_req_id' })
  return unknownId()
}

function pushed(): BackchannelError {
  return new BackchannelError('unauthorized_client', 'This client may not collect tokens with this grant')
}

function unknownId(): BackchannelError {
  return new BackchannelError('invalid_grant', 'auth_req_id is not known, was used, or belongs to another client')
}

function refusal(code: 'authorization_pending' | 'slow_down', description: string): TokenAnswer {
  return { status: 400, body: JSON.stringify({ error: code, error_description: description }) }
}
