import { z } from 'zod'
import type { Context } from '../core/context.ts'
import { errorOf } from '../core/events.ts'
import { readMembers, text } from './fields.ts'
import type { ManagementOptions } from './options.ts'
import { answer, serverError, wrongCall } from './results.ts'
import { issueTicket } from './ticket.ts'

const members = z.object({ ticket: text })

const failed = { responseContent: serverError }

/** `/backchannel/authentication/issue`: gives a ticket's request its `auth_req_id`. */
export async function issueApi(ctx: Context, _options: ManagementOptions, body: unknown): Promise<object> {
  const { ticket } = readMembers(members, body)
  if (ticket === undefined) return wrongCall('issue', 'INTERNAL_SERVER_ERROR', 'ticket is missing', failed)
  try {
    const issued = await issueTicket(ctx, ticket)
    if (issued === undefined) {
      return answer('issue', 'INVALID_TICKET', 'The ticket is not known, is over, or was used', failed)
    }
    return answer('issue', 'OK', 'The request is issued', {
      responseContent: JSON.stringify(issued),
      authReqId: issued.auth_req_id,
      expiresIn: issued.expires_in,
      interval: issued.interval,
    })
  } catch (thrown) {
    return answer('issue', 'INTERNAL_SERVER_ERROR', errorOf(ctx.emit, thrown).message, failed)
  }
}
