import type { Client } from '../../contracts/contracts.ts'
import { hashOf } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import type { RequestRecord } from '../../core/request.ts'
import type { Route } from '../notice/route.ts'
import type { Begun } from '../request/begin.ts'
import { keyOf, type Limiter, type LimiterFactory, longestSeconds, type Pair, take, usedUp } from './limiter.ts'

/** How often users may be asked. Every one can be 0: no limit. */
export interface Limits {
  /** Prompts to one user in an hour, whoever asks. Defaults to 30. */
  readonly promptsPerUser: number
  /** Prompts of one client to one user in an hour. Defaults to 20. */
  readonly promptsPerClientAndUser: number
  /** Notices to one address or number in an hour. Defaults to 20. */
  readonly noticesPerDestination: number
  /** Notices to one address or number in a day. Defaults to 60. */
  readonly noticesPerDestinationAndDay: number
  /** Requests of one client in a minute. Defaults to 1200. */
  readonly requestsPerClient: number
  /** Hints of one client in an hour that name nobody. Defaults to 100. */
  readonly failedHintsPerClient: number
  /** Failed authentications of one client from one address in ten minutes. Defaults to 30. */
  readonly failedAuthentications: number
  /**
   * Seconds for which a client may not ask a user again who denied its request. Doubles with each further denial, up to
   * an hour; starts anew after an approval, or a day. Defaults to 30.
   */
  readonly denialSeconds: number
}

export const defaultLimits: Limits = {
  promptsPerUser: 30,
  promptsPerClientAndUser: 20,
  noticesPerDestination: 20,
  noticesPerDestinationAndDay: 60,
  requestsPerClient: 1200,
  failedHintsPerClient: 100,
  failedAuthentications: 30,
  denialSeconds: 30,
}

const longestCoolDown = 3600

export interface LimitParts {
  readonly limits: Limits | undefined
  /** The most open requests of a user, and how long one stays open. */
  readonly openRequestsPerUser: number
  readonly expirySeconds: number
  readonly limiter: LimiterFactory
  readonly guard: Guard
  readonly emit: Emit
}

type Name = keyof Limits

/** Who asked whom: under the name that the prompt was counted under. */
type Asked = Pick<RequestRecord, 'clientId' | 'sub' | 'hintHash'>

/** The fatigue shield: users are asked so often and no more. Unknown users are counted by their hint. */
export function createLimits(parts: LimitParts) {
  const { limits, limiter, guard, emit } = parts
  const counter = (name: Name, duration: number): Limiter | undefined => {
    const points = limits?.[name] ?? 0
    return points > 0 ? limiter({ keyPrefix: `ciba-${name}`, points, duration }) : undefined
  }
  const perClient = counter('requestsPerClient', 60)
  const perUser = counter('promptsPerUser', 3600)
  const perPair = counter('promptsPerClientAndUser', 3600)
  const perDestination = counter('noticesPerDestination', 3600)
  const perDestinationAndDay = counter('noticesPerDestinationAndDay', 86_400)
  const failedHints = counter('failedHintsPerClient', 3600)
  const seconds = limits?.denialSeconds ?? 0
  const coolDowns = seconds > 0 ? limiter({ keyPrefix: 'ciba-cooldown', points: 1, duration: seconds }) : undefined
  const denials = seconds > 0 ? limiter({ keyPrefix: 'ciba-denials', points: 1_000_000, duration: 86_400 }) : undefined

  const ghosts =
    parts.openRequestsPerUser > 0
      ? limiter({
          keyPrefix: 'ciba-open',
          points: parts.openRequestsPerUser,
          duration: Math.min(parts.expirySeconds, longestSeconds),
        })
      : undefined

  /**
   * Has a user who does not exist too many open requests? Nobody answers them, so each stays open until it expires.
   * Without this the limit of open requests would tell who exists.
   */
  async function hasTooManyOpen({ ask }: Begun): Promise<boolean> {
    if (ghosts === undefined) return false
    return (await guard('limits', () => take(ghosts, hashOf(ask.hint.value)))) !== undefined
  }

  /** Counts a client's call, whatever it asks. */
  function countRequest({ id }: Client): Promise<void> {
    return spend(perClient, id, 429, 'requestsPerClient', { clientId: id })
  }

  /** Before a hint is looked up: is the client guessing? */
  async function refuseGuessing({ id }: Client): Promise<void> {
    if (failedHints === undefined) return
    const wait = await guard('limits', () => usedUp(failedHints, id))
    if (wait !== undefined) refuse(429, wait, 'failedHintsPerClient', { clientId: id })
  }

  async function countFailedHint({ id }: Pick<Client, 'id'>): Promise<void> {
    if (failedHints !== undefined) await guard('limits', () => take(failedHints, id))
  }

  /** Before a request is stored: may this user be asked by this client, there and now? */
  async function countPrompt({ client, user, ask }: Begun, route: Route | undefined): Promise<void> {
    const sub = user?.sub ?? nameOf(hashOf(ask.hint.value))
    const pair = { clientId: client.id, sub }
    const about = user === undefined ? { clientId: client.id } : pair
    if (coolDowns !== undefined) {
      const wait = await guard('limits', () => usedUp(coolDowns, keyOf(pair)))
      if (wait !== undefined) refuse(403, wait, 'denialSeconds', about)
    }
    await spend(perPair, keyOf(pair), 403, 'promptsPerClientAndUser', about)
    await spend(perUser, sub, 403, 'promptsPerUser', about)
    if (!route?.to) return
    await spend(perDestination, hashOf(route.to), 403, 'noticesPerDestination', about)
    await spend(perDestinationAndDay, hashOf(route.to), 403, 'noticesPerDestinationAndDay', about)
  }

  /** The user answered: a denial makes the client wait, longer each time. */
  async function learn({ clientId, sub, hintHash }: Asked, result: 'approved' | 'denied'): Promise<void> {
    if (coolDowns === undefined || denials === undefined) return
    const counted = hintHash === undefined ? sub : nameOf(hintHash)
    if (counted === undefined) return
    const pair = { clientId, sub: counted }
    await guard('limits', async () => {
      if (result === 'approved') return void (await denials.delete(keyOf(pair)))
      const { consumedPoints } = await denials.consume(keyOf(pair))
      await coolDowns.block(keyOf(pair), Math.min(longestCoolDown, seconds * 2 ** (consumedPoints - 1)))
    })
  }

  async function spend(
    limiter: Limiter | undefined,
    key: string,
    status: number,
    limit: Name,
    about: Partial<Pair>,
  ): Promise<void> {
    if (limiter === undefined) return
    const wait = await guard('limits', () => take(limiter, key))
    if (wait !== undefined) refuse(status, wait, limit, about)
  }

  function refuse(status: number, waitMs: number, limit: Name, about: Partial<Pair>): never {
    emit({ type: 'limit.hit', limit, ...about })
    throw new BackchannelError('access_denied', 'Asked too often; try again later', {
      status,
      headers: { 'Retry-After': String(Math.ceil(waitMs / 1000)) },
    })
  }

  return { countRequest, refuseGuessing, countFailedHint, countPrompt, hasTooManyOpen, learn }
}

/** Nobody has looked this user up; the hint stands for them. */
function nameOf(hintHash: string): string {
  return `? ${hintHash}`
}
