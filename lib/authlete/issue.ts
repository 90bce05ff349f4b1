import { z } from 'zod'
import { readMembers, text } from './fields.ts'
import { answer, wrongCall } from './results.ts'

/** What the client is told. */
interface Acknowledgement {
  readonly auth_req_id: string
  readonly expires_in: number
  readonly interval?: number
}

export interface IssueParts {
  issue(ticket: string): Promise<Acknowledgement | undefined>
}

const members = z.object({ ticket: text })
const responseContent = JSON.stringify({ error: 'server_error' })

/** `/backchannel/authentication/issue`: gives a ticket's request its `auth_req_id`. */
export function createIssueTicket({ issue }: IssueParts) {
  return async (body: unknown): Promise<object> => {
    const { ticket } = readMembers(members, body)
    if (ticket === undefined)
      return wrongCall('issue', 'INTERNAL_SERVER_ERROR', 'ticket is missing', { responseContent })
    const issued = await issue(ticket)
    if (issued === undefined) {
      return answer('issue', 'INVALID_TICKET', 'The ticket is not known, is over, or was used', { responseContent })
    }
    return answer('issue', 'OK', 'The request is issued', {
      responseContent: JSON.stringify(issued),
      authReqId: issued.auth_req_id,
      expiresIn: issued.expires_in,
      interval: issued.interval,
    })
  }
}
