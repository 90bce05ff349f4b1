import { Router } from 'express'
import { type Backchannel, createBackchannel } from './backchannel.ts'
import { createErrorHandler, onlyMethods, sendJson } from './core/http/respond.ts'
import { createWatched } from './core/http/traced.ts'
import { transmitBody, transmitTokenBody } from './core/http/transmit.ts'
import type { BackchannelOptions } from './options/schema.ts'
import { backchannelEndpoint } from './protocol/request/endpoint.ts'
import { tokenEndpoint } from './protocol/token/endpoint.ts'
import { presentedEndpoint } from './protocol/token/ownTokenEndpoint.ts'
import { mountUserRoutes } from './userRoutes.ts'

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
  const { paths } = settings
  const router = Router()
  const watched = createWatched(settings.telemetry)

  // the two that are called most come first
  router
    .route(paths.token)
    .post(watched('token', tokenEndpoint(parts.serveToken)))
    .all(onlyMethods('POST'))

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

  mountUserRoutes(router, backchannel)

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
