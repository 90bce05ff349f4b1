import type { RequestRecord } from '../../contracts/request.ts'
import type { User } from '../../contracts/users.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext } from '../../core/context.ts'
import type { RouteQuery } from './route.ts'

/** The client and the user of a stored request, and what its route is chosen for. */
export interface Audience {
  readonly client: Client
  readonly user: User
  readonly query: RouteQuery
}

/** `undefined`: the client or the user is not there any more. */
export async function audienceOf(ctx: AskContext, record: RequestRecord): Promise<Audience | undefined> {
  const client = await ctx.clients.find(record.clientId)
  if (client === undefined || record.sub === undefined) return undefined
  const user = await ctx.users.find({ type: 'sub', value: record.sub }, client.metadata)
  if (user?.sub !== record.sub) return undefined
  const { requestContext } = record.details
  const named = typeof requestContext?.channel === 'string' ? requestContext.channel : undefined
  return { client, user, query: { client: client.metadata, named, inContext: requestContext !== undefined, user } }
}
