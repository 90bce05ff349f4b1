import { contextOf, type Vault } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { present } from '../../core/omitUndefined.ts'
import type { Answer, RequestRecord } from '../../core/request.ts'
import { type IsWithin, requireNarrower } from '../authorization/narrow.ts'
import type { Decision } from './complete.ts'
import { reachesAcr } from './login.ts'

export interface CheckParts {
  readonly emit: Emit
  readonly vault: Pick<Vault, 'seal'>
  /** A decision may grant scope values that were not asked for. */
  readonly widerScopes: boolean
  /** May this user act now? */
  isActive(sub: string): Promise<boolean>
  readonly isWithin: IsWithin
  /** Is this the user whose `sub` the request demands, if it demands one (OpenID Connect Core 5.5.1)? */
  isWanted(record: RequestRecord, sub: string): Promise<boolean>
}

/** Checks a decision against its request, and says what will be stored. Changes nothing. */
export function createCheck({ emit, vault, widerScopes, isActive, isWithin, isWanted }: CheckParts) {
  return async (record: RequestRecord, decision: Decision, now: number, namesUser: boolean): Promise<Answer> => {
    const mayName = namesUser && record.sub === undefined
    if (decision.result !== 'approved') {
      const { by, ...refusal } = decision
      if (by !== undefined && !mayName) requireTheUser(record, by)
      return { ...refusal, at: now }
    }
    if (!mayName || !(await isWanted(record, decision.sub))) requireTheUser(record, decision.sub)
    if (!(await isActive(decision.sub))) {
      throw new BackchannelError('access_denied', 'The user may not sign in any more')
    }
    if (record.details.requireAuthTime && decision.authTime === undefined) {
      const cause = new TypeError(
        `client "${record.clientId}" has require_auth_time: the login has to come with its authTime`,
      )
      emit({ type: 'fault', cause })
      throw new BackchannelError('server_error', 'The time of the login is not known', { cause })
    }
    const { accessToken, tokens, ...said } = decision
    requireNarrower(said, record.details, widerScopes, isWithin)
    if (!reachesAcr(record.details, decision.acr)) return { result: 'failed', reason: 'acr', at: now }
    // the host's own access token has effect in push mode alone
    const pushed = record.deliveryMode === 'push' ? accessToken : undefined
    const sealed =
      pushed === undefined ? {} : { sealedAccessToken: vault.seal(pushed, contextOf('accessToken', record.id)) }
    return present({
      ...said,
      scope: said.scope ?? record.details.scope,
      tokens: tokens === undefined && pushed === undefined ? undefined : { ...tokens, ...sealed },
      at: now,
    })
  }

  function requireTheUser(record: RequestRecord, sub: string): void {
    if (sub === record.sub) return
    emit({ type: 'user.mismatch', request: record.id, clientId: record.clientId, sub })
    throw new BackchannelError('access_denied', 'This request is for somebody else')
  }
}
