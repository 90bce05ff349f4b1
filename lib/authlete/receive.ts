import type { BackchannelStore, Call, Client, Hint } from '../contracts/contracts.ts'
import { hashOf, newHandle } from '../core/crypto/vault.ts'
import { BackchannelError } from '../core/errors.ts'
import type { RequestRecord } from '../core/request.ts'
import type { Begun, Valid } from '../protocol/request/begin.ts'
import type { createDraft } from '../protocol/request/draft.ts'
import type { Ask } from '../protocol/request/parameters.ts'

/** Seconds in which a ticket has to be issued, or is worthless. */
export const ticketSeconds = 600

/** A valid request that waits for its issue; the ticket is the handle of whoever looks its user up. */
export interface Received {
  readonly ticket: string
  readonly client: Client
  readonly ask: Ask
  /** The host's subject behind an `id_token_hint`. */
  readonly subject?: string
}

export interface ReceiveParts {
  readonly store: Pick<BackchannelStore, 'add'>
  /** This server takes user codes. */
  readonly userCodes: boolean
  validate(call: Call): Promise<Valid>
  draft: ReturnType<typeof createDraft>
  /** Throws when the client has named too many users who do not exist. */
  refuseGuessing(client: Client): Promise<void>
  readIdTokenHint(text: string, client: Client): Promise<Hint>
  /** Throws when the user is asked too often. */
  countPrompt(begun: Begun, route: undefined): Promise<void>
}

/** Validates a request and stores it as a ticket. Whoever holds the ticket looks the user up and names them at the end. */
export function createReceive(parts: ReceiveParts) {
  const { store } = parts

  return async (call: Call): Promise<Received> => {
    const valid = await parts.validate(call)
    const { client, ask } = valid
    requireUserCode(ask, client)
    await parts.refuseGuessing(client)
    const { name, value } = ask.hint
    const subject = name === 'id_token_hint' ? (await parts.readIdTokenHint(value, client)).value : undefined
    await parts.countPrompt({ ...valid, user: subject === undefined ? undefined : { sub: subject } }, undefined)
    // sealed in any case: details do not change any more when the request is issued
    const { id, seconds, receivedAt, deliveryMode, intervalSeconds, details } = parts.draft(valid, true)
    const ticket = newHandle(id)
    const end = receivedAt + ticketSeconds * 1000
    const record: RequestRecord = {
      id,
      status: 'received',
      clientId: client.id,
      deliveryMode,
      receivedAt,
      intervalSeconds,
      slowDowns: 0,
      details,
      ticketHash: hashOf(ticket),
      lifetimeSeconds: seconds,
      ...(subject === undefined ? { hintHash: hashOf(value) } : {}),
      expiresAt: end,
      keptUntil: end,
    }
    await store.add(record)
    return { ticket, client, ask, ...(subject === undefined ? {} : { subject }) }
  }

  function requireUserCode({ userCode }: Ask, client: Client): void {
    if (!parts.userCodes || client.metadata.backchannel_user_code_parameter !== true || userCode !== undefined) return
    throw new BackchannelError('missing_user_code', 'user_code is missing')
  }
}
