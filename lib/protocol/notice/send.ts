import type { Channel, ChannelFailure, Notice, Sent } from '../../contracts/channel.ts'
import type { RequestRecord } from '../../contracts/request.ts'
import type { User } from '../../contracts/users.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext } from '../../core/context.ts'
import { BackchannelError, ChannelError } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { noticeStrings } from '../../core/noticeTexts.ts'
import { isExpired } from '../../core/request.ts'
import { failRequest } from '../approval/complete.ts'
import type { Route } from './route.ts'

/** What is told to whom. */
export interface Telling {
  readonly link: string
  readonly record: RequestRecord
  readonly client: Client
  readonly user: User
}

/** What one round over the channels has come to. */
export interface Round {
  /** The channel that took the notice. */
  readonly channel?: string
  readonly sent?: Sent
  /** No channel took the notice. `try_later`: one of them may take it later. */
  readonly failure?: ChannelFailure
}

/**
 * Sends in the background, after the answer to the client has been written. When no channel reaches the user, the
 * request fails.
 */
export function send(ctx: AskContext, route: Route, telling: Telling): void {
  ctx.background.run(() => deliver(ctx, route, telling))
}

async function deliver(ctx: AskContext, route: Route, telling: Telling): Promise<void> {
  const { retrySeconds } = ctx.settings.notices
  for (const seconds of [...retrySeconds, undefined]) {
    const { failure } = await tryRoutes(ctx, route, telling, seconds === undefined)
    if (failure === undefined) return
    if (failure !== 'try_later' || seconds === undefined) break
    if (!(await ctx.background.wait(seconds * 1000)) || !(await isOpen(ctx, telling.record))) return
  }
  // refused when the request was answered in the meantime; an outage was reported by the store's guard
  await failRequest(ctx, telling.record, 'undeliverable').catch(() => {})
}

/** One round over the channels, until one takes the notice. `lastRound`: no other one follows. */
export async function tryRoutes(ctx: AskContext, route: Route, telling: Telling, lastRound = true): Promise<Round> {
  const failures: ChannelFailure[] = []
  const routes = [route, ...route.fallbacks]
  for (const { channel, to } of routes) {
    const about = { request: telling.record.id, clientId: telling.record.clientId, channel: channel.name }
    try {
      const sent = (await channel.send(noticeFor(ctx, channel, to, telling))) ?? {}
      ctx.emit({ type: 'notice.sent', ...about, ...sent })
      return { channel: channel.name, sent }
    } catch (thrown) {
      const failure = thrown instanceof ChannelError ? thrown.failure : 'try_later'
      failures.push(failure)
      const noneLeft = failures.length === routes.length
      const final = noneLeft && (lastRound || !failures.includes('try_later'))
      ctx.emit({ type: 'notice.failed', ...about, failure, final, cause: causeOf(thrown) })
    }
  }
  return { failure: failures.includes('try_later') ? 'try_later' : (failures[0] ?? 'undeliverable') }
}

/** What the channel has thrown: its guard keeps it as the cause of an outage. */
function causeOf(thrown: unknown): unknown {
  return thrown instanceof BackchannelError ? (thrown.cause ?? thrown) : thrown
}

function noticeFor(ctx: AskContext, channel: Channel, to: string, telling: Telling): Notice {
  const { link, record, client, user } = telling
  const { approval, notices } = ctx.settings
  const { channel: _, login_hint_type, custom_message, ...others } = record.details.requestContext ?? {}
  const locale = user.locale ?? 'en'
  return omitUndefined({
    to,
    link,
    message: typeof custom_message === 'string' ? custom_message : noticeStrings(locale, notices.texts).message,
    clientName: client.name,
    // a message that has to be picked on the page is not told before
    bindingMessage: approval.choices ? undefined : record.details.bindingMessage,
    locale,
    expiresInSeconds: Math.max(0, Math.round((record.expiresAt - ctx.clock()) / 1000)),
    domain: new URL(link).host,
    context: others,
    reference: record.id,
    statusUrl: channel.readStatus === undefined ? undefined : statusUrl(ctx, channel.name, record.id),
  })
}

/** Where the carrier of a channel reports what became of the notice of a request. */
export function statusUrl({ urls }: AskContext, channel: string, request: string): string {
  return `${urls.notices}/${channel}/${request}`
}

async function isOpen(ctx: AskContext, { id }: RequestRecord): Promise<boolean> {
  const record = await ctx.store.find(id).catch(() => undefined)
  return record?.status === 'pending' && !isExpired(record, ctx.clock())
}
