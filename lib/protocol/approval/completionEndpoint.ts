import express, { type RequestHandler } from 'express'
import { z } from 'zod'
import type { Session, SessionUser } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Guard } from '../../core/guard.ts'
import { sendJson } from '../../core/http/respond.ts'
import type { HandleKind } from '../../core/lookup.ts'
import type { RequestRecord } from '../../core/request.ts'
import { approvalBy, type Decision } from './complete.ts'
import { isEnough, type LoginRules, needOf } from './login.ts'
import { readSessionUser } from './sessionUser.ts'

export interface CompletionParts extends LoginRules {
  readonly session: Session
  readonly guard: Guard
  readonly errorFormat: 'oauth' | 'transmit'
  find(handle: string, ...kinds: HandleKind[]): Promise<RequestRecord | undefined>
  complete(record: RequestRecord, decision: Decision): Promise<RequestRecord>
}

const body = z.object({
  auth_req_id: z.string('auth_req_id must be a string'),
  approved: z.boolean('approved must be true or false'),
})

/**
 * `POST /auth/backchannel/complete`: JSON `{auth_req_id, approved}` with the user's bearer token, from the host's own
 * screen or app. `auth_req_id` may also be the handle of the link. Answers 204, or JSON where Transmit's clients look for it.
 */
export function completionEndpoint(
  parts: CompletionParts,
): readonly [readJson: RequestHandler, complete: RequestHandler] {
  const json = express.json({ limit: '16kb' })
  const answer: RequestHandler = async (req, res, next) => {
    try {
      const user = await userOf(req.headers.authorization, parts)
      const { auth_req_id, approved } = readBody(req.body)
      const record = await parts.find(auth_req_id, 'authReqId', 'link')
      if (record === undefined) throw new BackchannelError('invalid_request', 'No such request', { status: 404 })
      if (!isEnough(user, record, parts)) throw insufficient(record, parts)
      const decision = approved ? approvalBy(user) : ({ result: 'denied', reason: 'user', by: user.sub } as const)
      const { answer } = await parts.complete(record, decision)
      if (answer?.result !== decision.result) {
        throw new BackchannelError('access_denied', 'The login did not reach the level that this request demands')
      }
      if (parts.errorFormat === 'transmit') sendJson(res, 200, { result: approved ? 'approved' : 'denied' })
      else res.writeHead(204, { 'Cache-Control': 'no-store' }).end()
    } catch (thrown) {
      next(thrown)
    }
  }
  return [(req, res, next) => json(req, res, (thrown) => (thrown ? next(unreadable(thrown)) : next())), answer]
}

async function userOf(authorization: string | undefined, { session, guard }: CompletionParts): Promise<SessionUser> {
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) {
    throw new BackchannelError('invalid_token', 'Send the access token of the user as bearer token', {
      headers: { 'WWW-Authenticate': 'Bearer' },
    })
  }
  const user = readSessionUser('verifyToken', await guard('session', () => session.verifyToken?.(token)))
  if (user === undefined) {
    throw new BackchannelError('invalid_token', 'The access token is not valid', {
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    })
  }
  return user
}

function readBody(value: unknown): z.output<typeof body> {
  const result = body.safeParse(value)
  if (result.success) return result.data
  const text = result.error.issues[0]?.path.length
    ? result.error.issues[0].message
    : 'Send JSON with auth_req_id and approved'
  throw new BackchannelError('invalid_request', text)
}

/** Tells the screen what to ask of the user (RFC 9470 3). */
function insufficient(record: RequestRecord, rules: LoginRules): BackchannelError {
  const { acrValues, essential, maxAgeSeconds, fresh } = needOf(record, rules)
  const challenge = [
    'Bearer error="insufficient_user_authentication"',
    ...(essential && acrValues ? [`acr_values="${acrValues.join(' ')}"`] : []),
    ...(fresh ? ['max_age=0'] : maxAgeSeconds === undefined ? [] : [`max_age=${maxAgeSeconds}`]),
  ]
  return new BackchannelError('insufficient_user_authentication', 'This request demands another login', {
    headers: { 'WWW-Authenticate': challenge.join(', ') },
  })
}

function unreadable(cause: unknown): BackchannelError {
  const status = (cause as { status?: number }).status === 413 ? { status: 413 } : {}
  return new BackchannelError('invalid_request', 'The body must be JSON', { cause, ...status })
}
