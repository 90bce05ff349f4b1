import type { BackchannelStore, Client } from '../contracts/contracts.ts'
import { contextOf, hashOf, type Vault } from '../core/crypto/vault.ts'
import { BackchannelError, type ErrorCode } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { RequestRecord } from '../core/request.ts'
import { type Acknowledgement, acknowledge } from '../protocol/request/issue.ts'
import { ticketSeconds } from './receive.ts'

export interface TicketParts {
  readonly store: Pick<BackchannelStore, 'move'>
  readonly clock: () => number
  readonly vault: Vault
  readonly emit: Emit
  readonly graceSeconds: number
  find(ticket: string): Promise<RequestRecord | undefined>
  countFailedHint(client: Pick<Client, 'id'>): Promise<void>
}

/** What becomes of a request that waits as a ticket: it is issued, or refused before that. */
export function createTicketSteps({ store, clock, vault, emit, find, ...parts }: TicketParts) {
  return {
    /** Gives the request its `auth_req_id`. Once: `undefined` for a ticket that is unknown, over or used. */
    async issue(ticket: string): Promise<Acknowledgement | undefined> {
      const received = await find(ticket)
      if (received?.status !== 'received') return undefined
      const { id, clientId, deliveryMode, details, lifetimeSeconds: seconds = ticketSeconds } = received
      const authReqId = vault.open(details.sealedAuthReqId ?? '', contextOf('authReqId', id))
      const now = clock()
      const changes = {
        authReqIdHash: hashOf(authReqId),
        expiresAt: now + seconds * 1000,
        keptUntil: now + (seconds + parts.graceSeconds) * 1000,
      }
      const issued = await store.move(id, { from: 'received', to: 'pending', changes, now })
      if (!issued?.moved) return undefined
      emit({ type: 'request.accepted', request: id, clientId, deliveryMode })
      return acknowledge(issued.record, authReqId, seconds)
    },

    /**
     * Ends a request that was not issued. Repeating it for the same reason is no error.
     * @throws BackchannelError `invalid_request` for a ticket that is unknown, over, issued, or refused for another reason.
     */
    async fail(ticket: string, reason: ErrorCode): Promise<void> {
      const received = await find(ticket)
      if (received === undefined) throw unusable()
      const { id, clientId } = received
      const now = clock()
      const answer = { result: 'failed', at: now, reason } as const
      const ended = await store.move(id, { from: 'received', to: 'failed', changes: { answer }, now })
      if (!ended?.moved) {
        const stands = ended?.record.authReqIdHash === undefined ? ended?.record.answer : undefined
        if (stands?.result === 'failed' && stands.reason === reason) return
        throw unusable()
      }
      emit({ type: 'request.refused', clientId, error: reason })
      if (reason === 'unknown_user_id') await parts.countFailedHint({ id: clientId })
    },
  }
}

function unusable(): BackchannelError {
  return new BackchannelError('invalid_request', 'The ticket is not known, is over, or was used')
}
