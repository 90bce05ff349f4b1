import { Router } from 'express'
import { completionEndpoint } from './approval/completion.ts'
import { approvalPage } from './approval/page.ts'
import { pageHeaders, renderPage } from './approval/render.ts'
import { type Page, viewStatus } from './approval/view.ts'
import { type Backchannel, createBackchannel } from './backchannel.ts'
import type { BackchannelOptions } from './options.ts'
import { backchannelEndpoint } from './request/endpoint.ts'
import { createErrorHandler, onlyMethods, sendJson } from './respond.ts'
import { tokenEndpoint } from './token/endpoint.ts'

/** An Express router that carries its engine. */
export type BackchannelRouter = Router & { readonly backchannel: Backchannel }

/**
 * The whole of CIBA as one router: `app.use(createBackchannelRouter({ issuer, clients, users, session }))`.
 * Takes options, or an engine made before.
 * @throws TypeError that names the option and the remedy.
 */
export function createBackchannelRouter(optionsOrEngine: BackchannelOptions | Backchannel): BackchannelRouter {
  const backchannel = 'begin' in optionsOrEngine ? optionsOrEngine : createBackchannel(optionsOrEngine)
  const { parts } = backchannel
  const { settings, urls, emit } = parts
  const { paths, session } = settings
  const router = Router()

  router.route(paths.token).post(tokenEndpoint(parts.serveToken)).all(onlyMethods('POST'))

  router
    .route(paths.backchannel)
    .post(
      backchannelEndpoint({
        callOf: (req, form) => parts.callOf(req, form, urls.backchannel),
        begin: backchannel.begin,
        issue: backchannel.issue,
        emit,
      }),
    )
    .all(onlyMethods('POST'))

  const documents = [
    [paths.jwks, () => backchannel.jwks()],
    [paths.discovery, () => backchannel.metadata()],
  ] as const
  for (const [path, document] of documents) {
    router
      .route(path)
      .get((_req, res) => sendJson(res, 200, document(), { 'Cache-Control': 'public, max-age=300' }))
      .all(onlyMethods('GET', 'HEAD'))
  }

  if (session !== undefined) {
    const page = approvalPage({
      ...parts,
      ...settings,
      session,
      origin: urls.origin,
      find: parts.findByHandle,
      complete: parts.settle,
      show: (_req, res, view: Page, locale = 'en') => {
        res.writeHead(viewStatus[view.state], { ...pageHeaders, 'Content-Type': 'text/html; charset=utf-8' })
        res.end(renderPage({ ...view, locale }))
      },
    })
    router.route(paths.approve).get(page.open).all(onlyMethods('GET', 'HEAD'))
    router
      .route(`${paths.approve}/:id`)
      .get(page.ask)
      .post(page.decide)
      .all(onlyMethods('GET', 'HEAD', 'POST'))
    if (session.verifyToken !== undefined) {
      const complete = completionEndpoint({
        ...parts,
        ...settings,
        session,
        find: parts.findByHandle,
        complete: parts.settle,
      })
      router
        .route(paths.complete)
        .post(...complete)
        .all(onlyMethods('POST'))
    }
  }

  router.use(createErrorHandler(emit))
  return Object.assign(router, { backchannel })
}
