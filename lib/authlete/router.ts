import express, { type RequestHandler, Router } from 'express'
import { type Backchannel, contextOf } from '../backchannel.ts'
import type { Context } from '../core/context.ts'
import { invalidRequest } from '../core/errors.ts'
import { createErrorHandler, onlyMethods, orUnreadable, readJson, sendJson } from '../core/http/respond.ts'
import { requireAccess } from './access.ts'
import { authenticationApi } from './authentication.ts'
import { completeApi } from './complete.ts'
import { failApi } from './fail.ts'
import { issueApi } from './issue.ts'
import { type ManagementOptions, readManagementOptions } from './options.ts'
import { apiError } from './results.ts'
import { tokenApi } from './token.ts'

export type { Attributes, ManagementCall, ManagementOptions } from './options.ts'

/** One API: takes the body of a call, and answers with HTTP 200. */
type Api = (ctx: Context, options: ManagementOptions, body: unknown) => Promise<object>

const apis: Readonly<Record<string, Api>> = {
  '/backchannel/authentication': authenticationApi,
  '/backchannel/authentication/issue': issueApi,
  '/backchannel/authentication/fail': failApi,
  '/backchannel/authentication/complete': completeApi,
  '/auth/token': tokenApi,
}

/**
 * The Authlete-shaped API for a trusted backend: `POST /api/{serviceId}/backchannel/authentication`, `…/issue`,
 * `…/fail`, `…/complete` and `/api/{serviceId}/auth/token`. The backend serves the clients, finds the user, asks them,
 * and delivers notifications; the protocol is ours. Mount it where clients and browsers do not come.
 * @throws TypeError that names the option and the remedy; without `authorize` it does not start.
 * @example
 * ```ts
 * const backchannel = createBackchannel({ issuer, clients, users, store })
 * const management = createManagementRouter(backchannel, { authorize: ({ token }) => equal(token, managementToken) })
 * app.use('/internal', management)
 * ```
 */
export function createManagementRouter(backchannel: Backchannel, options: ManagementOptions): Router {
  const settings = readManagementOptions(options)
  const ctx = contextOf(backchannel)
  const router = Router()
  for (const [path, api] of Object.entries(apis)) {
    router
      .route(`/api/:serviceId${path}`)
      .post(admit(settings), ...parsers(), serve(ctx, settings, api))
      .all(onlyMethods('POST'))
  }
  router.use('/api/:serviceId', createErrorHandler(ctx.emit, apiError))
  return router
}

/** Lets the caller in before its body is read. */
function admit(options: ManagementOptions): RequestHandler<{ serviceId: string }> {
  return (req, _res, next) => {
    requireAccess(options, req.headers.authorization, req.params.serviceId).then(() => next(), next)
  }
}

/** Holds the form of a client, in JSON, with certificates and token overrides. */
const bodyLimit = '512kb'
const unreadable = 'The body must be a JSON object or a form'

function parsers(): readonly RequestHandler[] {
  const form = express.urlencoded({ extended: false, limit: bodyLimit })
  return [readJson(bodyLimit, unreadable), orUnreadable(form, unreadable)]
}

function serve(ctx: Context, options: ManagementOptions, api: Api): RequestHandler {
  return async (req, res, next) => {
    try {
      // Express 4 makes an empty object of a body that no parser knows
      if (!req.is(['json', 'urlencoded'])) throw invalidRequest(unreadable)
      sendJson(res, 200, await api(ctx, options, req.body))
    } catch (thrown) {
      next(thrown)
    }
  }
}
