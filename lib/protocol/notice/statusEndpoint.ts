import type { RequestHandler } from 'express'
import type { BackchannelStore, Channel, Client, NoticeStatus, User } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { readForm } from '../../core/http/form.ts'
import { isExpired, type RequestRecord } from '../../core/request.ts'
import type { Route, RouteQuestion } from './route.ts'
import type { Telling } from './send.ts'

export interface NoticeStatusParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  readonly emit: Emit
  readonly channels: readonly Channel[]
  /** The URL that the carrier was given, from configuration. */
  statusUrl(channel: string, id: string): string
  findClient(clientId: string): Promise<Client | undefined>
  findUser(sub: string, client: Client): Promise<User | undefined>
  routeFor(question: RouteQuestion): Route | undefined
  linkOf(record: RequestRecord, client: Client): string
  send(route: Route, telling: Telling): void
  fail(record: RequestRecord, reason: string): Promise<void>
}

/** `POST /auth/backchannel/notices/:channel/:id`: a carrier reports what became of a notice. Answers 204. */
export function noticeStatusEndpoint(parts: NoticeStatusParts): RequestHandler {
  const { store, clock, emit } = parts

  return async (req, res, next) => {
    try {
      const id = String(req.params.id)
      const channel = parts.channels.find((each) => each.name === req.params.channel)
      const form = await readForm(req)
      if (form === undefined) return
      const url = parts.statusUrl(channel?.name ?? '', id)
      const header = (name: string) => [req.headers[name]].flat()[0]
      const status = channel?.readStatus?.({ url, header, form })
      if (channel === undefined || status === undefined) {
        throw new BackchannelError('access_denied', 'The report is not signed by the carrier')
      }
      if (status.failure !== undefined) await bounced(id, channel, status)
      res.writeHead(204, { 'Cache-Control': 'no-store' }).end()
    } catch (thrown) {
      next(thrown)
    }
  }

  /** The next channel takes over; without one the request ends as failed. Reports may come twice, or late. */
  async function bounced(id: string, channel: Channel, { failure = 'undeliverable' }: NoticeStatus): Promise<void> {
    const record = await store.find(id)
    if (record?.status !== 'pending' || isExpired(record, clock())) return
    const takeover = await takeoverFrom(channel, record)
    // marked when nothing can fail any more: after an outage the carrier reports again
    if (!(await store.firstSeen(`bounced ${id} ${channel.name}`, record.keptUntil))) return
    const about = { request: id, clientId: record.clientId, channel: channel.name }
    emit({ type: 'notice.failed', ...about, failure, final: takeover === undefined })
    if (takeover === undefined) await parts.fail(record, 'undeliverable')
    else parts.send(...takeover)
  }

  async function takeoverFrom(channel: Channel, record: RequestRecord): Promise<[Route, Telling] | undefined> {
    const client = await parts.findClient(record.clientId)
    const user = client === undefined || record.sub === undefined ? undefined : await parts.findUser(record.sub, client)
    if (client === undefined || user === undefined) return undefined
    const context = record.details.requestContext
    const route = routeIfAny({
      client: client.metadata,
      named: typeof context?.channel === 'string' ? context.channel : undefined,
      inContext: context !== undefined,
      user,
    })
    if (route === undefined) return undefined
    const all = [route, ...route.fallbacks]
    const [first, ...fallbacks] = all.slice(all.findIndex((each) => each.channel === channel) + 1)
    if (first === undefined) return undefined
    return [
      { ...first, fallbacks },
      { link: parts.linkOf(record, client), record, client, user },
    ]
  }

  /** An address that is not on file any more is no reason to refuse the report. */
  function routeIfAny(question: RouteQuestion): Route | undefined {
    try {
      return parts.routeFor(question)
    } catch (thrown) {
      if (thrown instanceof BackchannelError) return undefined
      throw thrown
    }
  }
}
