import type { RequestHandler } from 'express'
import { z } from 'zod'
import type { SessionUser } from '../../contracts/session.ts'
import type { AskContext, GuardedSession } from '../../core/context.ts'
import { BackchannelError, invalidRequest, notFound } from '../../core/errors.ts'
import { readJson, sendJson } from '../../core/http/respond.ts'
import { findByHandle } from '../../core/lookup.ts'
import { isExpired } from '../../core/request.ts'
import { complete } from './complete.ts'
import { approvalBy, type Decision } from './decision.ts'
import { insufficientLogin, isEnough } from './login.ts'

const schema = z.object({
  auth_req_id: z.string('auth_req_id must be a string'),
  approved: z.boolean('approved must be true or false'),
})

/**
 * `POST /auth/backchannel/complete`: JSON `{auth_req_id, approved}` with the user's bearer token, from the host's own
 * screen or app. `auth_req_id` may also be the handle of the link. Answers 204; with JSON under the option
 * `interop.errorFormat: 'transmit'`.
 */
export function completionEndpoint(
  ctx: AskContext,
  session: GuardedSession,
): readonly [readJson: RequestHandler, complete: RequestHandler] {
  const answer: RequestHandler = async (req, res, next) => {
    try {
      const user = await userOf(session, req.headers.authorization)
      const { auth_req_id, approved } = readBody(req.body)
      await settle(ctx, auth_req_id, approved, user)
      const inBody = ctx.settings.interop.errorFormat === 'transmit'
      if (inBody) sendJson(res, 200, { result: approved ? 'approved' : 'denied' })
      else res.writeHead(204, { 'Cache-Control': 'no-store' }).end()
    } catch (thrown) {
      next(thrown)
    }
  }
  return [readJson('16kb'), answer]
}

async function settle(ctx: AskContext, handle: string, approved: boolean, user: SessionUser): Promise<void> {
  const record = await findByHandle(ctx, handle, 'authReqId', 'link')
  if (record === undefined) throw notFound()
  // a request that is over, or somebody else's, is refused below for what it is
  const isOpen = record.answer === undefined && !isExpired(record, ctx.clock())
  if (isOpen && user.sub === record.sub && !isEnough(ctx, user, record)) throw insufficientLogin(ctx, record)
  const decision: Decision = approved ? approvalBy(user) : { result: 'denied', reason: 'user', by: user.sub }
  const { answer } = await complete(ctx, record, decision)
  if (answer?.result !== decision.result) {
    throw new BackchannelError('access_denied', 'The login did not reach the level that this request demands')
  }
}

/** The user whose access token is the bearer token (RFC 6750 2.1). */
async function userOf({ verifyToken }: GuardedSession, authorization: string | undefined): Promise<SessionUser> {
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw invalidToken('Send the access token of the user as bearer token', 'Bearer')
  const user = await verifyToken?.(token)
  if (user === undefined) throw invalidToken('The access token is not valid', 'Bearer error="invalid_token"')
  return user
}

function invalidToken(description: string, challenge: string): BackchannelError {
  return new BackchannelError('invalid_token', description, { headers: { 'WWW-Authenticate': challenge } })
}

function readBody(value: unknown): z.output<typeof schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw invalidRequest(issue?.path.length ? issue.message : 'Send JSON with auth_req_id and approved')
}
