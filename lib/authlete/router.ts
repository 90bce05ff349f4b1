import express, { type RequestHandler, Router } from 'express'
import type { Backchannel } from '../backchannel.ts'
import { asBackchannelError, BackchannelError } from '../core/errors.ts'
import { createErrorHandler, onlyMethods, sendJson } from '../core/http/respond.ts'
import { createAbout } from './about.ts'
import { createAccess } from './access.ts'
import { createAuthentication } from './authentication.ts'
import { createCompleteTicket } from './complete.ts'
import { createFailTicket } from './fail.ts'
import { createIssueTicket } from './issue.ts'
import { type ManagementOptions, readManagementOptions } from './options.ts'
import { answer, apiError } from './results.ts'
import { createToken } from './token.ts'

type Service = { readonly serviceId: string }

/** One API: what it takes, and what it answers with HTTP 200. */
type Serve = (body: unknown) => Promise<object>

/**
 * The Authlete-shaped API for a trusted backend: `POST /api/{serviceId}/backchannel/authentication`, `…/issue`, `…/fail`,
 * `…/complete` and `/api/{serviceId}/auth/token`. The backend serves the clients, finds the user, asks them, and delivers
 * notifications; the protocol is ours. Mount it where clients and browsers do not come.
 * @throws TypeError that names the option and the remedy; without `authorize` it does not start.
 */
export function createManagementRouter(backchannel: Backchannel, options: ManagementOptions): Router {
  const settings = readManagementOptions(options)
  const { parts } = backchannel
  const { emit, urls, aliases, findClient, tickets } = parts
  const about = createAbout(settings)
  const placeOf = (url: string) => ({ url, mtlsUrl: aliases.get(url) })

  const apis: readonly (readonly [path: string, serve: Serve])[] = [
    [
      '/backchannel/authentication',
      createAuthentication({
        ...tickets,
        ...parts.settings,
        emit,
        about,
        place: placeOf(urls.backchannel),
        claimsOf: parts.tokens.claimsOf,
      }),
    ],
    [
      '/backchannel/authentication/issue',
      orAnswer(createIssueTicket(tickets), (message) => answer('issue', 'INTERNAL_SERVER_ERROR', message, fault)),
    ],
    [
      '/backchannel/authentication/fail',
      orAnswer(createFailTicket(tickets), (message) => answer('fail', 'INTERNAL_SERVER_ERROR', message, fault)),
    ],
    [
      '/backchannel/authentication/complete',
      orAnswer(
        createCompleteTicket({
          about,
          findClient,
          complete: (completion) => backchannel.complete(completion as Parameters<Backchannel['complete']>[0]),
        }),
        (message) => answer('complete', 'SERVER_ERROR', message),
      ),
    ],
    [
      '/auth/token',
      createToken({
        ...parts,
        clock: parts.settings.clock,
        about,
        place: placeOf(urls.token),
        refreshSeconds: parts.tokens.refreshSeconds,
      }),
    ],
  ]

  const access = createAccess(settings)
  const enter: RequestHandler<Service> = (req, _res, next) => {
    access(req.headers.authorization, req.params.serviceId).then(() => next(), next)
  }
  const router = Router()
  for (const [path, serve] of apis) {
    router
      .route(`/api/:serviceId${path}`)
      .post(enter, ...parsers, respond(serve))
      .all(onlyMethods('POST'))
  }
  router.use('/api/:serviceId', createErrorHandler(emit, apiError))
  return router

  /** What goes wrong on our side is an answer, too. */
  function orAnswer(serve: Serve, failed: (message: string) => object): Serve {
    return async (body) => {
      try {
        return await serve(body)
      } catch (thrown) {
        const error = asBackchannelError(thrown)
        if (error.status < 500) throw thrown
        if (error !== thrown) emit({ type: 'fault', cause: thrown })
        return failed(error.message)
      }
    }
  }
}

/** Room for the form of a client, in JSON, with certificates and wishes. */
const bodyLimit = '512kb'

const fault = { responseContent: JSON.stringify({ error: 'server_error' }) }

const parsers = [express.json({ limit: bodyLimit }), express.urlencoded({ extended: false, limit: bodyLimit })].map(
  (parse): RequestHandler<Service> =>
    (req, res, next) =>
      parse(req, res, (thrown) => (thrown === undefined ? next() : next(unreadable(thrown)))),
)

function respond(serve: Serve): RequestHandler<Service> {
  return async (req, res, next) => {
    try {
      // Express 4 makes an empty object of a body that no parser knows
      if (!req.is(['json', 'urlencoded'])) throw unreadable(undefined)
      sendJson(res, 200, await serve(req.body))
    } catch (thrown) {
      next(thrown)
    }
  }
}

function unreadable(cause: unknown): BackchannelError {
  const status = (cause as { status?: number } | undefined)?.status === 413 ? { status: 413 } : {}
  return new BackchannelError('invalid_request', 'The body must be a JSON object or a form', { cause, ...status })
}
