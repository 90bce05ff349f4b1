import type { RequestRecord } from '../../contracts/request.ts'
import type { AskContext } from '../../core/context.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { once } from '../../core/replay.ts'
import { isExpired } from '../../core/request.ts'
import { expired } from '../approval/check.ts'
import { audienceOf } from './audience.ts'
import { linkOf } from './link.ts'
import { chooseRoute } from './route.ts'
import { tryRoutes } from './send.ts'

/** How a notice is sent again. */
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

/**
 * Sends the link of an open request again, for a staff screen: the same link, by the same choice of channels or by the
 * one that is named. A failure leaves the request open.
 * @throws BackchannelError 409, 410: the request is not open; 429: it was sent moments ago; 503: it could not be sent.
 */
export async function resend(ctx: AskContext, record: RequestRecord, options: ResendOptions = {}): Promise<Resent> {
  requireOpen(ctx, record)
  const audience = await audienceOf(ctx, record)
  if (audience === undefined) throw unavailable('The client or the user is not there any more')
  const { client, user, query } = audience
  const route = chooseRoute(ctx, { ...query, named: options.channel ?? query.named })
  if (route === undefined) throw unavailable('No channel reaches the user')
  const link = linkOf(ctx, record, client)
  if (route.channel.returnsLink) return { channel: route.channel.name, link }
  await requirePause(ctx, record)
  const { channel, sent, failure } = await tryRoutes(ctx, route, { link, record, client, user })
  if (channel === undefined) throw unavailable(`The link could not be sent: ${failure}`)
  return omitUndefined({ channel, messageId: sent?.messageId })
}

function requireOpen({ clock }: AskContext, record: RequestRecord): void {
  if (isExpired(record, clock())) throw expired()
  if (record.status !== 'pending') throw invalidRequest('The request is not open', { status: 409 })
}

/** Some seconds have to lie between two (option `notices.resendSeconds`). */
async function requirePause(ctx: AskContext, { id }: RequestRecord): Promise<void> {
  const { resendSeconds } = ctx.settings.notices
  if (await once(ctx, 'resend', id, ctx.clock() + resendSeconds * 1000)) return
  throw new BackchannelError('access_denied', 'The link was sent again moments ago', {
    status: 429,
    headers: { 'Retry-After': String(resendSeconds) },
  })
}

function unavailable(description: string): BackchannelError {
  return new BackchannelError('temporarily_unavailable', description)
}
