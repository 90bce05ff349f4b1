import type { Channel, ClientMetadata, User } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Begun } from '../request/begin.ts'

/** A way to the user that was chosen, and what takes over when it fails. */
export interface Route {
  readonly channel: Channel
  /** Where the channel reaches this user. */
  readonly to: string
  /** In order. */
  readonly fallbacks: readonly Route[]
}

/** When does the next channel take over from one that cannot reach the user, or fails? */
export type Fallback = 'unnamed' | 'always' | 'never'

export interface RouteParts {
  /** In order of preference. */
  readonly channels: readonly Channel[]
  /** Names of the channels a client may use, in its order of preference. */
  readonly channelsFor?: ((client: ClientMetadata) => readonly string[] | undefined) | undefined
  readonly fallback: Fallback
  /** Users who cannot be reached look like users who do not exist. */
  readonly hideUnknownUsers: boolean
}

/** What a route is chosen for. */
export interface RouteQuestion {
  readonly client: ClientMetadata
  /** The channel that the request names. */
  readonly named?: string | undefined
  /** Did the request bring a `request_context`? Without a channel in it, it means SMS, as Transmit documents it. */
  readonly inContext: boolean
  readonly user: User | undefined
}

/** Chooses ways to users. */
export function createRoutes(parts: RouteParts) {
  const { channels, fallback } = parts

  /**
   * The way for a request, before anything is stored. `undefined`: there is nobody to reach, or nothing to reach them
   * with.
   * @throws BackchannelError `invalid_request` for a channel that is not offered, or does not reach the user.
   */
  function chooseRoute({ ask, client, user }: Begun): Route | undefined {
    const named = ask.context?.channel
    return routeFor({ client: client.metadata, named, inContext: ask.context !== undefined, user })
  }

  function routeFor(question: RouteQuestion): Route | undefined {
    const { named, user } = question
    const allowed = allowedFor(question.client)
    const first = named === undefined ? undefined : channelNamed(named, allowed)
    if (first?.returnsLink) return { channel: first, to: '', fallbacks: [] }
    if (allowed.length === 0) return undefined
    const ordered = first === undefined ? inOrder(allowed, question.inContext) : startingWith(first, allowed)
    const mayFallBack = fallback === 'always' || (fallback === 'unnamed' && named === undefined)
    // a channel that sends nothing cannot take over: the client has its answer by then
    const sending = (mayFallBack ? ordered : ordered.slice(0, 1)).filter((each) => !each.returnsLink)
    const [route, ...rest] = user === undefined ? [] : sending.flatMap((channel) => reach(channel, user))
    if (route !== undefined) return { ...route, fallbacks: rest }
    // a link in the answer for some users and not for others would tell who exists
    const tells = parts.hideUnknownUsers && sending.length > 0
    const returning = named === undefined && !tells ? ordered.find((each) => each.returnsLink) : undefined
    if (returning !== undefined) return { channel: returning, to: '', fallbacks: [] }
    if (parts.hideUnknownUsers || user === undefined) return undefined
    throw new BackchannelError('invalid_request', 'The user cannot be reached by this channel')
  }

  function allowedFor(client: ClientMetadata): readonly Channel[] {
    const names = parts.channelsFor?.(client)
    if (names === undefined) return channels
    return names.flatMap((name) => channels.find((each) => each.name === name) ?? [])
  }

  function channelNamed(name: string, allowed: readonly Channel[]): Channel {
    const channel = allowed.find((each) => each.name === name) ?? allowed.find((each) => each.standsIn)
    if (channel !== undefined) return channel
    throw new BackchannelError('invalid_request', 'request_context: channel is not one that this server offers')
  }

  return { chooseRoute, routeFor }
}

function inOrder(allowed: readonly Channel[], inContext: boolean): readonly Channel[] {
  const sms = inContext ? allowed.find((each) => each.name === 'sms') : undefined
  return sms === undefined ? allowed : startingWith(sms, allowed)
}

function startingWith(first: Channel, all: readonly Channel[]): readonly Channel[] {
  return [first, ...all.filter((each) => each !== first)]
}

function reach(channel: Channel, user: User): Route[] {
  const to = channel.address(user)
  return to === undefined ? [] : [{ channel, to, fallbacks: [] }]
}
