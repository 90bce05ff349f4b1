import type { Request, RequestHandler } from 'express'
import type { Channel, ChannelFailure, Form, NoticeStatus } from '../../contracts/channel.ts'
import type { RequestRecord } from '../../contracts/request.ts'
import type { AskContext } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import { readForm } from '../../core/http/body.ts'
import { once } from '../../core/replay.ts'
import { isExpired } from '../../core/request.ts'
import { failRequest } from '../approval/complete.ts'
import { audienceOf } from './audience.ts'
import { linkOf } from './link.ts'
import { chooseRoute, type Route, type RouteQuery } from './route.ts'
import { send, statusUrl, type Telling } from './send.ts'

/** `POST /auth/backchannel/notices/:channel/:id`: a carrier reports what became of a notice. Answers 204. */
export function statusEndpoint(ctx: AskContext): RequestHandler {
  return async (req, res, next) => {
    try {
      const id = String(req.params.id)
      const channel = ctx.channels.find((each) => each.name === req.params.channel)
      const form = await readForm(req)
      const status = channel && readStatus(ctx, channel, id, req, form)
      if (channel === undefined || status === undefined) {
        throw new BackchannelError('access_denied', 'The report is not signed by the carrier')
      }
      if (status.failure !== undefined) await handleBounce(ctx, id, channel, status.failure)
      res.writeHead(204, { 'Cache-Control': 'no-store' }).end()
    } catch (thrown) {
      next(thrown)
    }
  }
}

function readStatus(ctx: AskContext, channel: Channel, id: string, req: Request, form: Form): NoticeStatus | undefined {
  const url = statusUrl(ctx, channel.name, id)
  const header = (name: string): string | undefined => [req.headers[name]].flat()[0]
  return channel.readStatus?.({ url, header, form })
}

/** The next channel takes over; without one the request ends as failed. Reports may come twice, or late. */
async function handleBounce(ctx: AskContext, id: string, channel: Channel, failure: ChannelFailure): Promise<void> {
  const record = await ctx.store.find(id)
  if (record?.status !== 'pending' || isExpired(record, ctx.clock())) return
  const takeover = await takeoverFrom(ctx, channel, record)
  // marked when nothing can fail any more: after an outage the carrier reports again
  if (!(await once(ctx, 'bounce', `${id} ${channel.name}`, record.keptUntil))) return
  const about = { request: id, clientId: record.clientId, channel: channel.name }
  ctx.emit({ type: 'notice.failed', ...about, failure, final: takeover === undefined })
  if (takeover === undefined) await failRequest(ctx, record, 'undeliverable')
  else send(ctx, takeover.route, takeover.telling)
}

interface Takeover {
  readonly route: Route
  readonly telling: Telling
}

/** What comes behind a channel in the route of a request; `undefined`: nothing. */
async function takeoverFrom(ctx: AskContext, channel: Channel, record: RequestRecord): Promise<Takeover | undefined> {
  const audience = await audienceOf(ctx, record)
  if (audience === undefined) return undefined
  const { client, user, query } = audience
  const route = routeIfAny(ctx, query)
  if (route === undefined) return undefined
  const all = [route, ...route.fallbacks]
  const [next, ...fallbacks] = all.slice(all.findIndex((each) => each.channel === channel) + 1)
  if (next === undefined) return undefined
  return { route: { ...next, fallbacks }, telling: { link: linkOf(ctx, record, client), record, client, user } }
}

/** An address that is not on file any more is no reason to refuse the report; an outage is one. */
function routeIfAny(ctx: AskContext, query: RouteQuery): Route | undefined {
  try {
    return chooseRoute(ctx, query)
  } catch (thrown) {
    if (thrown instanceof BackchannelError && thrown.code === 'invalid_request') return undefined
    throw thrown
  }
}
