import { expect } from 'chai'
import type { Channel, Fallback, NoticeOptions, User } from 'express-ciba'
import { chooseRoute, type Route, type RouteQuery } from '../../lib/protocol/notice/route.ts'
import { contextFor } from '../helpers/context.ts'

const channel = (name: string, more: Partial<Channel> = {}): Channel => ({
  name,
  address: (user) => (typeof user[name] === 'string' ? user[name] : undefined),
  send: () => {},
  ...more,
})
const channels = [channel('app'), channel('sms'), channel('email'), channel('link', { returnsLink: true })]
const everywhere: User = { sub: 'a', app: 'device', sms: '+1', email: 'a@b' }

const names = (route: Route | undefined): readonly string[] =>
  route === undefined ? [] : [route.channel.name, ...route.fallbacks.map((each) => each.channel.name)]

interface Offered {
  readonly channels?: readonly Channel[]
  readonly channelsFor?: NoticeOptions['channelsFor']
  readonly fallback?: Fallback
  readonly hideUnknownUsers?: boolean
}

function routed(query: Partial<RouteQuery> = {}, { hideUnknownUsers = false, ...offered }: Offered = {}) {
  const { channels: offeredChannels = channels, fallback = 'unnamed', channelsFor } = offered
  const ctx = contextFor({
    session: { current: () => undefined, loginUrl: () => '/login' },
    channels: offeredChannels,
    notices: { fallback, ...(channelsFor && { channelsFor }) },
    requests: { hideUnknownUsers },
  })
  return names(chooseRoute(ctx, { client: { client_id: 'c' }, inContext: false, user: everywhere, ...query }))
}

describe('the way to a user', () => {
  for (const [what, query, offered, expected] of [
    ['all that reach them, in order', {}, {}, ['app', 'sms', 'email']],
    ['SMS first, where a context names no channel', { inContext: true }, {}, ['sms', 'app', 'email']],
    ['the named one alone', { named: 'email', inContext: true }, {}, ['email']],
    ['the named one first, with others behind it', { named: 'email' }, { fallback: 'always' }, ['email', 'app', 'sms']],
    ['the first alone, without fallback', {}, { fallback: 'never' }, ['app']],
    ['the next that reaches them', { user: { sub: 'a', email: 'a@b' } }, {}, ['email']],
    [
      'in place of the named one',
      { named: 'sms', user: { sub: 'a', email: 'a@b' } },
      { fallback: 'always' },
      ['email'],
    ],
    ['through the client when nothing else reaches them', { user: { sub: 'a' } }, {}, ['link']],
    ['through the client when it asks for the link', { named: 'link', user: undefined }, {}, ['link']],
    ['nobody, when there is no user', { user: undefined }, { hideUnknownUsers: true }, []],
    ...[undefined, { sub: 'a' }, everywhere].map((user): [string, Partial<RouteQuery>, Partial<Offered>, string[]] => [
      `the link, where there is nothing else, whether or not they exist: ${user?.sub}, ${Object.keys(user ?? {}).length}`,
      { user },
      { hideUnknownUsers: true, channels: channels.slice(-1) },
      ['link'],
    ]),
    ['nobody, where the link would tell who exists', { user: { sub: 'a' } }, { hideUnknownUsers: true }, []],
    ['as the client may, in its order', {}, { channelsFor: () => ['email', 'app', 'pigeon'] }, ['email', 'app']],
    ['all, where a client has no list', {}, { channelsFor: () => undefined }, ['app', 'sms', 'email']],
    ['nobody, where a client may use no channel', {}, { channelsFor: () => [] }, []],
    ['nobody, when unreachable users are hidden', { named: 'sms', user: { sub: 'a' } }, { hideUnknownUsers: true }, []],
  ] satisfies [string, Partial<RouteQuery>, Partial<Offered>, string[]][]) {
    it(`is: ${what}`, () => {
      expect(routed(query, offered)).to.deep.equal(expected)
    })
  }

  it('is refused when the named channel does not reach them, or is not theirs to name', () => {
    expect(() => routed({ named: 'sms', user: { sub: 'a' } })).to.throw('cannot be reached')
    expect(() => routed({ named: 'pigeon' })).to.throw('not one that this server offers')
    expect(() => routed({ named: 'sms' }, { channelsFor: () => ['email'] })).to.throw('not one that this server offers')
    expect(() => routed({ named: 'link' }, { channelsFor: () => ['email'] })).to.throw(
      'not one that this server offers',
    )
    expect(() => routed({ user: { sub: 'a' } }, { channelsFor: () => ['email', 'sms'] })).to.throw('cannot be reached')
  })

  it('has a stand-in where a channel is asked for that is not configured', () => {
    const stand = channel('console', { standsIn: true, address: (user) => user.sub })
    expect(routed({ named: 'sms' }, { channels: [stand] })).to.deep.equal(['console'])
  })
})
