import type { Channel } from '../../contracts/channel.ts'
import type { ClientMetadata } from '../../contracts/clients.ts'
import type { User } from '../../contracts/users.ts'
import type { AskContext } from '../../core/context.ts'
import { invalidRequest } from '../../core/errors.ts'

/** A way to the user that was chosen, and what takes over when it fails. */
export interface Route {
  readonly channel: Channel
  /** Where the channel reaches this user; empty for a channel that returns the link to the client. */
  readonly to: string
  /** What takes over, in this order. */
  readonly fallbacks: readonly Route[]
}

/** What a route is chosen for. */
export interface RouteQuery {
  readonly client: ClientMetadata
  /** The channel that the request names. */
  readonly named?: string | undefined
  /** Did the request bring a `request_context`? Without a channel in it, it means SMS, as Transmit documents it. */
  readonly inContext: boolean
  readonly user: User | undefined
}

/**
 * The way to a user. `undefined`: there is no user, or no channel to reach them by.
 * @throws BackchannelError `invalid_request` for a channel that is not offered, or does not reach the user.
 */
export function chooseRoute(ctx: AskContext, query: RouteQuery): Route | undefined {
  const { named, user } = query
  const { hideUnknownUsers } = ctx.settings.requests
  const allowed = allowedFor(ctx, query.client)
  const first = named === undefined ? undefined : channelNamed(named, allowed)
  if (first?.returnsLink) return returning(first)
  if (allowed.length === 0) return undefined
  const ordered = first === undefined ? inOrder(allowed, query.inContext) : startingWith(first, allowed)
  const sending = sendingOf(ctx, ordered, named)
  const [route, ...rest] = user === undefined ? [] : sending.flatMap((channel) => reach(channel, user))
  if (route !== undefined) return { ...route, fallbacks: rest }
  // a link in the answer for some users and not for others would tell who exists
  const tells = hideUnknownUsers && sending.length > 0
  const last = named === undefined && !tells ? ordered.find((each) => each.returnsLink) : undefined
  if (last !== undefined) return returning(last)
  if (hideUnknownUsers || user === undefined) return undefined
  throw invalidRequest('The user cannot be reached by this channel')
}

/** The channels a client may use, in its order of preference. */
function allowedFor({ channels, hooks }: AskContext, client: ClientMetadata): readonly Channel[] {
  const names = hooks.channelsFor?.(client)
  if (names === undefined) return channels
  return names.flatMap((name) => channels.find((each) => each.name === name) ?? [])
}

function channelNamed(name: string, allowed: readonly Channel[]): Channel {
  const channel = allowed.find((each) => each.name === name) ?? allowed.find((each) => each.standsIn)
  if (channel !== undefined) return channel
  throw invalidRequest('request_context: channel is not one that this server offers')
}

function inOrder(allowed: readonly Channel[], inContext: boolean): readonly Channel[] {
  const sms = inContext ? allowed.find((each) => each.name === 'sms') : undefined
  return sms === undefined ? allowed : startingWith(sms, allowed)
}

function startingWith(first: Channel, all: readonly Channel[]): readonly Channel[] {
  return [first, ...all.filter((each) => each !== first)]
}

/**
 * The channels that may be tried (option `notices.fallback`). One that returns the link cannot take over from another:
 * the client has its answer by then.
 */
function sendingOf({ settings }: AskContext, ordered: readonly Channel[], named: string | undefined): Channel[] {
  const { fallback } = settings.notices
  const mayFallBack = fallback === 'always' || (fallback === 'unnamed' && named === undefined)
  return (mayFallBack ? ordered : ordered.slice(0, 1)).filter((each) => !each.returnsLink)
}

function reach(channel: Channel, user: User): Route[] {
  const to = channel.address(user)
  return to === undefined ? [] : [{ channel, to, fallbacks: [] }]
}

function returning(channel: Channel): Route {
  return { channel, to: '', fallbacks: [] }
}
