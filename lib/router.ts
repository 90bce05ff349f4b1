import { Router } from 'express'
import { completionEndpoint } from './approval/completion.ts'
import { acceptedLanguages } from './approval/language.ts'
import { approvalPage } from './approval/page.ts'
import { createQuestion } from './approval/question.ts'
import { type Backchannel, createBackchannel } from './backchannel.ts'
import type { BackchannelOptions } from './options.ts'
import { backchannelEndpoint } from './request/endpoint.ts'
import { noticeStatusEndpoint } from './request/noticeStatus.ts'
import { createErrorHandler, onlyMethods, sendJson } from './respond.ts'
import { tokenEndpoint } from './token/endpoint.ts'
import { presentedEndpoint } from './token/presentedEndpoint.ts'
import { transmitBody, transmitTokenBody } from './transmit.ts'
import { createWatched } from './watched.ts'

/** An Express router that carries its engine. */
export type BackchannelRouter = Router & { readonly backchannel: Backchannel }

/**
 * The whole of CIBA as one router: `app.use(createBackchannelRouter({ issuer, clients, users, session }))`.
 * Takes options, or an engine made before.
 * @throws TypeError that names the option and the remedy.
 */
export function createBackchannelRouter(optionsOrEngine: BackchannelOptions | Backchannel): BackchannelRouter {
  const backchannel = isEngine(optionsOrEngine) ? optionsOrEngine : createBackchannel(optionsOrEngine)
  const { parts } = backchannel
  const { settings, urls, emit } = parts
  const { paths, session } = settings
  const router = Router()
  const watched = createWatched(settings.telemetry)

  router
    .route(paths.token)
    .post(watched('token', tokenEndpoint(parts.serveToken)))
    .all(onlyMethods('POST'))

  if (settings.issueTokens === undefined) {
    const { readPresented, revoke, introspect } = parts.tokens
    const common = { authenticate: parts.authenticate, readPresented, otherGrants: settings.otherGrants, emit }
    const revocation = presentedEndpoint({
      ...common,
      callOf: (req, form) => parts.callOf(req, form, urls.revoke),
      serve: (presented, _token, client) => revoke(presented, client),
      unknown: undefined,
    })
    const introspection = presentedEndpoint({
      ...common,
      callOf: (req, form) => parts.callOf(req, form, urls.introspect),
      serve: introspect,
      unknown: { active: false },
    })
    router.route(paths.revoke).post(watched('revocation', revocation)).all(onlyMethods('POST'))
    router.route(paths.introspect).post(watched('introspection', introspection)).all(onlyMethods('POST'))
  }

  router
    .route(paths.backchannel)
    .post(
      watched(
        'backchannel_authentication',
        backchannelEndpoint({
          callOf: (req, form) => parts.callOf(req, form, urls.backchannel),
          begin: backchannel.begin,
          issue: backchannel.issue,
          emit,
        }),
      ),
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
      block: parts.blocks.block,
      question: createQuestion({ ...parts, ...settings, ...settings.page }),
      show: (req, res, page, locale) => {
        const languages = [locale, ...acceptedLanguages(req.headers['accept-language'])]
        const { status, headers, body } = parts.render(page, languages)
        res.writeHead(status, headers).end(body)
      },
    })
    if (session.verifyToken !== undefined) {
      const [readJson, complete] = completionEndpoint({
        ...parts,
        ...settings,
        session,
        find: parts.findByHandle,
        complete: parts.settle,
      })
      router.route(paths.complete).post(readJson, watched('completion', complete)).all(onlyMethods('POST'))
    }
    // last, because any path below that of the page is a page
    router.route(paths.approve).get(watched('approval_page', page.open)).all(onlyMethods('GET', 'HEAD'))
    router
      .route(`${paths.approve}/:id`)
      .get(watched('approval_page', page.ask))
      .post(watched('approval_page', page.decide))
      .all(onlyMethods('GET', 'HEAD', 'POST'))
  }

  if (parts.channels.some((each) => each.readStatus !== undefined)) {
    router
      .route(`${paths.notices}/:channel/:id`)
      .post(watched('notice_status', noticeStatusEndpoint(parts.noticeStatus)))
      .all(onlyMethods('POST'))
  }

  if (settings.errorFormat === 'transmit') {
    router.use(paths.backchannel, createErrorHandler(emit, transmitBody))
    router.use(paths.token, createErrorHandler(emit, transmitTokenBody))
  }
  router.use(createErrorHandler(emit))
  return Object.assign(router, { backchannel })
}

function isEngine(value: BackchannelOptions | Backchannel): value is Backchannel {
  return typeof value === 'object' && value !== null && 'begin' in value
}
