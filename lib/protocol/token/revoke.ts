import type { BackchannelStore, Client } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { Presented } from './ownTokens.ts'
import type { Revocations } from './revocation.ts'

export interface RevokeParts {
  readonly store: Pick<BackchannelStore, 'findGrant'>
  readonly emit: Emit
  readonly revocations: Revocations
}

/**
 * Revokes a token of the client's own (RFC 7009 2). A refresh token takes all tokens of its grant with it.
 * @throws BackchannelError `unauthorized_client` when it is another client's.
 */
export function createRevoke({ store, emit, revocations }: RevokeParts) {
  return async (token: Presented, client: Client): Promise<void> => {
    if (token.kind === 'access_token') {
      requireOwn(token.claims.client_id, client)
      await revocations.revokeAccessToken(token.claims)
      emit({ type: 'token.revoked', clientId: client.id })
      return
    }
    const family = await store.findGrant(token.family)
    if (family === undefined) return
    requireOwn(family.clientId, client)
    await revocations.revokeGrant(family, client)
    emit({ type: 'token.revoked', clientId: client.id, grant: family.id })
  }
}

function requireOwn(clientId: string, client: Client): void {
  if (clientId === client.id) return
  throw new BackchannelError('unauthorized_client', 'This token belongs to another client')
}
