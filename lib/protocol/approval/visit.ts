import type { Request } from 'express'
import type { ClosedState, Page } from '../../contracts/page.ts'
import type { RequestRecord } from '../../contracts/request.ts'
import type { SessionUser } from '../../contracts/session.ts'
import type { AskContext, GuardedSession } from '../../core/context.ts'
import { findByHandle } from '../../core/lookup.ts'
import { carryOutMissing } from './effects.ts'
import { isEnough, loginNeed } from './login.ts'
import { type HeldHandle, pageUrl, readCookie } from './pageCookie.ts'
import { closedState } from './view/model.ts'

/** A user at the page of their own open request. Every check before the question is shown or answered has passed. */
export interface Visit extends HeldHandle {
  readonly record: RequestRecord
  readonly user: SessionUser
}

/** What a visitor gets instead: another page, in the language of the request, or another place to go to. */
export type Detour = { readonly page: Page; readonly locale: string | undefined } | { readonly seeOther: string }

/** In the query of the page's URL, once a user who was signed in has been sent to sign in again. */
const signedInAgain = 'again'

/** Reads who is signed in, and the request whose handle their browser holds. Changes nothing. */
export async function readVisit(ctx: AskContext, session: GuardedSession, req: Request): Promise<Visit | Detour> {
  const id = String(req.params.id)
  const user = await session.current(req)
  const held = readCookie(ctx, req.headers.cookie, id, user?.sub)
  const record = held === undefined ? undefined : await findByHandle(ctx, held.handle, 'link')
  if (held === undefined || record === undefined) return closed('unknown')
  const over = closedState(record, ctx.clock())
  if (over !== undefined) {
    await carryOutMissing(ctx, record)
    return closed(over, record)
  }
  if (user === undefined || !isEnough(ctx, user, record)) return toLogin(ctx, session, req, record, user)
  if (user.sub !== record.sub) {
    ctx.emit({ type: 'user.mismatch', request: record.id, clientId: record.clientId, sub: user.sub })
    return closed('wrong_user', record)
  }
  if (!(await ctx.users.isActive(user.sub))) return closed('wrong_user', record)
  return { record, user, handle: held.handle, bound: held.bound }
}

function closed(state: ClosedState, record?: RequestRecord): Detour {
  return { page: { state }, locale: record?.details.locale }
}

/** The user signs in, or signs in again to reach more. */
function toLogin(
  ctx: AskContext,
  session: GuardedSession,
  req: Request,
  record: RequestRecord,
  user: SessionUser | undefined,
): Detour {
  const path = new URL(pageUrl(ctx, record.id)).pathname
  const query = user === undefined ? '' : `?${signedInAgain}`
  const signInUrl = session.loginUrl(path + query, loginNeed(ctx, record))
  // A form may not be redirected to another origin (form-action), and the login may be on one.
  // A user who has just signed in and still does not reach what is needed would be redirected without end.
  const stays = req.method === 'POST' || Object.hasOwn(req.query, signedInAgain)
  if (!stays) return { seeOther: signInUrl }
  return { page: { state: user === undefined ? 'signed_out' : 'step_up', signInUrl }, locale: record.details.locale }
}
