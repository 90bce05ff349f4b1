import type { Request, RequestHandler, Response } from 'express'
import type { Form } from '../../contracts/channel.ts'
import type { Page } from '../../contracts/page.ts'
import type { RequestRecord } from '../../contracts/request.ts'
import type { SessionUser } from '../../contracts/session.ts'
import type { AskContext, GuardedSession } from '../../core/context.ts'
import { equalSecrets } from '../../core/crypto/handles.ts'
import type { BackchannelError } from '../../core/errors.ts'
import { errorOf } from '../../core/events.ts'
import { readForm } from '../../core/http/body.ts'
import { seeOther } from '../../core/http/respond.ts'
import { acceptedLanguages } from '../../core/language.ts'
import { findByHandle } from '../../core/lookup.ts'
import { complete } from './complete.ts'
import { approvalBy, type Decision } from './decision.ts'
import { cookieFor, csrfFor, pageUrl } from './pageCookie.ts'
import { stateForStatus } from './view/model.ts'
import { picked, questionFor } from './view/question.ts'
import type { Render } from './view/render.ts'
import { type Detour, readVisit, type Visit } from './visit.ts'

/** Answers with a page. `locale`: the language of the request, if it has one. `failure`: what the page `error` is for. */
type Show = (req: Request, res: Response, page: Page, locale?: string, failure?: BackchannelError) => void

/** The page behind the link. `open`: the link itself. `ask`: GET shows, and changes nothing. `decide`: POST answers. */
export function approvalPage(
  ctx: AskContext,
  session: GuardedSession,
  render: Render,
): Record<'open' | 'ask' | 'decide', RequestHandler> {
  const show: Show = (req, res, page, locale, failure) => {
    const languages = [locale, ...acceptedLanguages(req.headers['accept-language'])]
    const { status, headers, body } = render(page, languages)
    res.writeHead(failure?.status ?? status, { ...headers, ...failure?.headers }).end(body)
  }
  return {
    open: orErrorPage(ctx, show, (req, res) => open(ctx, show, req, res)),
    ask: orErrorPage(ctx, show, (req, res) => ask(ctx, session, show, req, res)),
    decide: orErrorPage(ctx, show, (req, res) => decide(ctx, session, show, req, res)),
  }
}

async function open(ctx: AskContext, show: Show, req: Request, res: Response): Promise<void> {
  const handle = req.query.r
  if (typeof handle !== 'string') return show(req, res, { state: 'unknown' })
  const record = await findByHandle(ctx, handle, 'link')
  if (record === undefined) return show(req, res, { state: 'unknown' })
  if (req.method === 'GET') ctx.emit({ type: 'link.opened', request: record.id, clientId: record.clientId })
  res.append('Set-Cookie', cookieFor(ctx, record.id, handle, secondsKept(ctx, record)))
  seeOther(res, pageUrl(ctx, record.id))
}

async function ask(ctx: AskContext, session: GuardedSession, show: Show, req: Request, res: Response): Promise<void> {
  const visit = await readVisit(ctx, session, req)
  if (!('record' in visit)) return showDetour(show, req, res, visit)
  const { record, handle, user, bound } = visit
  const client = await ctx.clients.find(record.clientId)
  if (client === undefined) return show(req, res, { state: 'unknown' })
  if (!bound) res.append('Set-Cookie', cookieFor(ctx, record.id, handle, secondsKept(ctx, record), user.sub))
  ctx.emit({ type: 'page.shown', request: record.id, clientId: record.clientId, sub: user.sub })
  const form = {
    action: new URL(pageUrl(ctx, record.id)).pathname,
    csrf: csrfFor(ctx, record.id, handle, user.sub),
  }
  show(req, res, await questionFor(ctx, record, client, form), record.details.locale)
}

async function decide(
  ctx: AskContext,
  session: GuardedSession,
  show: Show,
  req: Request,
  res: Response,
): Promise<void> {
  const form = await readForm(req)
  const visit = await readVisit(ctx, session, req)
  if (!('record' in visit)) return showDetour(show, req, res, visit)
  const { record, user } = visit
  if (!isOwnForm(ctx, req, form, visit)) return show(req, res, { state: 'wrong_user' })
  const decision = decisionIn(form, user, picked(ctx, record, form.values.get('choice')))
  if (decision !== undefined) await complete(ctx, record, decision)
  seeOther(res, pageUrl(ctx, record.id))
}

/** Was the form shown to this very user in this very browser, and posted from our own page? */
function isOwnForm(ctx: AskContext, req: Request, form: Form, { record, handle, user, bound }: Visit): boolean {
  if (!bound || isCrossSite(ctx, req)) return false
  return equalSecrets(form.values.get('csrf') ?? '', csrfFor(ctx, record.id, handle, user.sub))
}

/** Only our own page may post here. `Origin` is `null` where the page's own `no-referrer` takes it away. */
function isCrossSite(ctx: AskContext, { headers: { origin, 'sec-fetch-site': site } }: Request): boolean {
  if (site !== undefined && site !== 'same-origin') return true
  return origin !== undefined && origin !== 'null' && origin !== ctx.urls.origin
}

/** `undefined`: nothing was decided, and the page is shown again. */
function decisionIn(form: Form, user: SessionUser, pick: ReturnType<typeof picked>): Decision | undefined {
  const action = form.values.get('action')
  if (action === 'approve') {
    if (pick === 'missing') return undefined
    return pick === 'wrong' ? { result: 'denied', reason: 'wrong_choice', by: user.sub } : approvalBy(user)
  }
  if (action === 'deny') return { result: 'denied', reason: 'user', by: user.sub }
  if (action === 'not_me') return { result: 'denied', reason: 'not_me', by: user.sub }
  return undefined
}

/** Seconds until the request is forgotten. */
function secondsKept(ctx: AskContext, { keptUntil }: RequestRecord): number {
  return Math.max(1, Math.ceil((keptUntil - ctx.clock()) / 1000))
}

function showDetour(show: Show, req: Request, res: Response, detour: Detour): void {
  if ('seeOther' in detour) seeOther(res, detour.seeOther)
  else show(req, res, detour.page, detour.locale)
}

/** A person reads these answers: refusals become pages too. */
function orErrorPage(
  ctx: AskContext,
  show: Show,
  answer: (req: Request, res: Response) => Promise<void>,
): RequestHandler {
  return async (req, res, next) => {
    try {
      await answer(req, res)
    } catch (thrown) {
      if (res.headersSent) return next(thrown)
      const error = errorOf(ctx.emit, thrown)
      try {
        const state = stateForStatus(error.status)
        show(req, res, { state }, undefined, state === 'error' ? error : undefined)
      } catch (another) {
        next(another) // the host's template fails for every page; Express 4 does not catch what an async handler throws
      }
    }
  }
}
