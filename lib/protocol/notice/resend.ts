import type { BackchannelStore, Client, User } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import { isExpired, type RequestRecord } from '../../core/request.ts'
import type { Route, RouteQuestion } from './route.ts'
import type { createSend } from './send.ts'

export interface ResendOptions {
  /** Name of the channel to use this time. Defaults to the choice made for the request itself. */
  readonly channel?: string
}

/** What became of a notice that was sent again. */
export interface Resent {
  readonly channel: string
  /** The carrier's name for the message. */
  readonly messageId?: string
  /** For a channel that sends nothing, such as `link`. */
  readonly link?: string
}

export interface ResendParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  /** Least seconds between two. */
  readonly resendSeconds: number
  findClient(clientId: string): Promise<Client | undefined>
  findUser(sub: string, client: Client): Promise<User | undefined>
  routeFor(question: RouteQuestion): Route | undefined
  /** The same link again. */
  linkOf(record: RequestRecord, client: Client): string
  tryRoutes: ReturnType<typeof createSend>['tryRoutes']
}

/**
 * Sends the link of an open request again, for a staff screen. A failure leaves the request open.
 * @throws BackchannelError 404, 409, 410: there is no open request; 429: it was sent moments ago.
 */
export function createResend(parts: ResendParts) {
  const { store, clock } = parts

  return async (record: RequestRecord, { channel: named }: ResendOptions = {}): Promise<Resent> => {
    requireOpen(record, clock())
    const { client, user } = await audienceOf(record)
    const context = record.details.requestContext
    const route = parts.routeFor({
      client: client.metadata,
      named: named ?? (typeof context?.channel === 'string' ? context.channel : undefined),
      inContext: context !== undefined,
      user,
    })
    if (route === undefined) throw unavailable('No channel reaches the user')
    const link = parts.linkOf(record, client)
    if (route.channel.returnsLink) return { channel: route.channel.name, link }
    await requirePause(record)
    const { channel, sent, failure } = await parts.tryRoutes(route, { link, record, client, user })
    if (channel === undefined) throw unavailable(`The link could not be sent: ${failure}`)
    return { channel, ...(sent?.messageId === undefined ? {} : { messageId: sent.messageId }) }
  }

  async function audienceOf({ clientId, sub }: RequestRecord): Promise<{ client: Client; user: User }> {
    const client = await parts.findClient(clientId)
    const user = client === undefined || sub === undefined ? undefined : await parts.findUser(sub, client)
    if (client === undefined || user === undefined) throw unavailable('The client or the user is not there any more')
    return { client, user }
  }

  async function requirePause({ id }: RequestRecord): Promise<void> {
    if (await store.firstSeen(`resend ${id}`, clock() + parts.resendSeconds * 1000)) return
    throw new BackchannelError('access_denied', 'The link was sent again moments ago', {
      status: 429,
      headers: { 'Retry-After': String(parts.resendSeconds) },
    })
  }
}

function requireOpen(record: RequestRecord, now: number): void {
  if (isExpired(record, now)) throw new BackchannelError('expired_token', 'The request has expired', { status: 410 })
  if (record.status === 'pending') return
  throw new BackchannelError('invalid_request', 'The request is not open', { status: 409 })
}

function unavailable(description: string): BackchannelError {
  return new BackchannelError('temporarily_unavailable', description)
}
