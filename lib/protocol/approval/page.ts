import type { Request, RequestHandler, Response } from 'express'
import type { Client, Form, Session, SessionUser } from '../../contracts/contracts.ts'
import { equalSecrets } from '../../core/crypto/vault.ts'
import { asBackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import { readForm } from '../../core/http/form.ts'
import type { HandleKind } from '../../core/lookup.ts'
import { isExpired, type RequestRecord } from '../../core/request.ts'
import { approvalBy, type Decision } from './complete.ts'
import { isEnough, type LoginRules, needOf } from './login.ts'
import type { Links } from './pageCookie.ts'
import { readSessionUser } from './sessionUser.ts'
import type { Page } from './view/model.ts'
import type { Question } from './view/question.ts'
import type { ClosedState } from './view/state.ts'

export interface PageParts extends LoginRules {
  readonly links: Links
  readonly session: Session
  /** Scheme, host and port of our own pages. */
  readonly origin: string
  readonly guard: Guard
  readonly emit: Emit
  isActive(sub: string): Promise<boolean>
  find(handle: string, ...kinds: HandleKind[]): Promise<RequestRecord | undefined>
  findClient(clientId: string): Promise<Client | undefined>
  readonly question: Question
  complete(record: RequestRecord, decision: Decision): Promise<RequestRecord>
  /** Keeps a client from asking a user again. */
  block(pair: { readonly clientId: string; readonly sub: string }): Promise<void>
  /** Every page that these routes answer with. `locale`: the language of the request, if it has one. */
  show(req: Request, res: Response, page: Page, locale?: string): void
}

/** In the query of the page once a login was sent back to reach more. */
const signedInAgain = 'again'

/** What a visitor has shown: who is signed in, and the request that their browser holds the handle of. */
interface Visit {
  readonly record: RequestRecord
  readonly handle: string
  readonly user: SessionUser
  /** The cookie was issued to this very user after login. */
  readonly bound: boolean
}

/** The page behind the link. `open`: the link itself. `ask`: GET shows, and changes nothing. `decide`: POST answers. */
export function approvalPage(parts: PageParts): Record<'open' | 'ask' | 'decide', RequestHandler> {
  const { links, session, guard, emit, clock } = parts

  const open: RequestHandler = async (req, res) => {
    const handle = req.query.r
    const record = typeof handle === 'string' ? await parts.find(handle, 'link') : undefined
    if (record === undefined) return parts.show(req, res, { state: 'unknown' })
    if (req.method === 'GET') emit({ type: 'link.opened', request: record.id, clientId: record.clientId })
    res.append('Set-Cookie', links.cookieFor(record.id, String(handle), secondsLeft(record)))
    seeOther(res, links.pageUrl(record.id))
  }

  const ask: RequestHandler = async (req, res) => {
    const visit = await readVisit(req, res)
    if (visit === undefined) return
    const { record, handle, user } = visit
    const client = await parts.findClient(record.clientId)
    if (client === undefined) return parts.show(req, res, { state: 'unknown' })
    if (!visit.bound) res.append('Set-Cookie', links.cookieFor(record.id, handle, secondsLeft(record), user.sub))
    emit({ type: 'page.shown', request: record.id, clientId: record.clientId, sub: user.sub })
    const form = {
      action: new URL(links.pageUrl(record.id)).pathname,
      csrf: links.csrfFor(record.id, handle, user.sub),
    }
    parts.show(req, res, await parts.question.ask(record, client, form), record.details.locale)
  }

  const decide: RequestHandler = async (req, res) => {
    const form = await readForm(req)
    const visit = await readVisit(req, res)
    if (form === undefined || visit === undefined) return
    const { record, handle, user, bound } = visit
    const csrf = form.values.get('csrf') ?? ''
    if (!bound || isCrossSite(req) || !equalSecrets(csrf, links.csrfFor(record.id, handle, user.sub))) {
      return parts.show(req, res, { state: 'wrong_user' })
    }
    const decision = decisionIn(form, user, parts.question.picked(record, form.values.get('choice')))
    if (decision === undefined) return seeOther(res, links.pageUrl(record.id))
    await parts.complete(record, decision)
    if (decision.result === 'denied' && decision.reason === 'not_me') {
      emit({ type: 'request.not_me', request: record.id, clientId: record.clientId, sub: user.sub })
      // the answer is stored and stands; the guard has reported the outage
      await parts.block({ clientId: record.clientId, sub: user.sub }).catch(() => {})
    }
    seeOther(res, links.pageUrl(record.id))
  }

  /** Until the request is forgotten. */
  function secondsLeft({ keptUntil }: RequestRecord): number {
    return Math.max(1, Math.ceil((keptUntil - clock()) / 1000))
  }

  /** Everything that has to hold before a request is shown or answered. Answers by itself when it does not. */
  async function readVisit(req: Request, res: Response): Promise<Visit | undefined> {
    const id = String(req.params.id)
    const user = readSessionUser('current', await guard('session', () => session.current(req)))
    const held = links.read(req.headers.cookie, id, user?.sub)
    const record = held === undefined ? undefined : await parts.find(held.handle, 'link')
    const refuse = (state: ClosedState) => {
      parts.show(req, res, { state }, record?.details.locale)
      return undefined
    }
    if (held === undefined || record === undefined) return refuse('unknown')
    const over = stateOf(record, clock())
    if (over !== undefined) return refuse(over)
    if (user === undefined || !isEnough(user, record, parts)) {
      const path = new URL(links.pageUrl(id)).pathname
      const again = user === undefined ? '' : `?${signedInAgain}`
      const signInUrl = session.loginUrl(path + again, needOf(record, parts))
      // A form may not be redirected to another origin (form-action), and the login may well live on one.
      // Whoever has just signed in and still does not reach what is needed would be sent round in circles.
      const stay = req.method === 'POST' || Object.hasOwn(req.query, signedInAgain)
      const state = user === undefined ? 'signed_out' : 'step_up'
      if (stay) parts.show(req, res, { state, signInUrl }, record.details.locale)
      else seeOther(res, signInUrl)
      return undefined
    }
    if (user.sub !== record.sub) {
      emit({ type: 'user.mismatch', request: record.id, clientId: record.clientId, sub: user.sub })
      return refuse('wrong_user')
    }
    if (!(await parts.isActive(user.sub))) return refuse('wrong_user')
    return { record, user, ...held }
  }

  /** Only our own page may post here. `Origin` is `null` where the page's own `no-referrer` takes it away. */
  function isCrossSite({ headers: { origin, 'sec-fetch-site': site } }: Request): boolean {
    if (site !== undefined && site !== 'same-origin') return true
    return origin !== undefined && origin !== 'null' && origin !== parts.origin
  }

  return { open: orErrorPage(open, parts), ask: orErrorPage(ask, parts), decide: orErrorPage(decide, parts) }
}

function decisionIn(form: Form, user: SessionUser, pick: ReturnType<Question['picked']>): Decision | undefined {
  const action = form.values.get('action')
  if (action === 'approve') {
    if (pick === 'missing') return undefined
    return pick === 'wrong' ? { result: 'denied', reason: 'wrong_choice', by: user.sub } : approvalBy(user)
  }
  if (action === 'deny') return { result: 'denied', reason: 'user', by: user.sub }
  if (action === 'not_me') return { result: 'denied', reason: 'not_me', by: user.sub }
  return undefined
}

/** The state to show when there is nothing left to ask. */
function stateOf(record: RequestRecord, now: number): ClosedState | undefined {
  const { answer, status } = record
  if (answer?.result === 'approved') return 'approved'
  if (answer?.result === 'denied') return answer.reason === 'not_me' ? 'reported' : 'denied'
  if (isExpired(record, now)) return 'expired'
  return status === 'pending' ? undefined : 'answered'
}

function seeOther(res: Response, location: string): void {
  res.writeHead(303, { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).end()
}

/** A person reads these answers: refusals become pages too. */
function orErrorPage(handler: RequestHandler, { show, emit }: PageParts): RequestHandler {
  return async (req, res, next) => {
    try {
      await handler(req, res, next)
    } catch (thrown) {
      if (res.headersSent) return next(thrown)
      const error = asBackchannelError(thrown)
      if (error !== thrown) emit({ type: 'fault', cause: thrown })
      try {
        show(req, res, { state: pageFor(error.status) })
      } catch (another) {
        next(another) // the host's template fails for every page: Express 4 does not hear of what an async handler throws
      }
    }
  }
}

function pageFor(status: number): ClosedState {
  if (status === 404) return 'unknown'
  if (status === 409) return 'answered'
  if (status === 410) return 'expired'
  // what a browser never sends by itself: opening the link again is what helps
  return status >= 400 && status < 500 ? 'wrong_user' : 'error'
}
