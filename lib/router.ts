import { type RequestHandler, Router } from 'express'
import { type Backchannel, contextOf, createBackchannel } from './backchannel.ts'
import type { BackchannelOptions } from './contracts/options.ts'
import type { Step } from './contracts/telemetry.ts'
import {
  createErrorHandler,
  onlyMethods,
  sendJson,
  traced,
  transmitBody,
  transmitTokenBody,
} from './core/http/respond.ts'
import { backchannelEndpoint } from './protocol/request/endpoint.ts'
import { tokenEndpoint } from './protocol/token/endpoint.ts'
import { introspectionEndpoint, revocationEndpoint } from './protocol/token/ownTokenEndpoint.ts'
import { mountUserRoutes } from './userRoutes.ts'

/** An Express router that carries its engine. */
export type BackchannelRouter = Router & { readonly backchannel: Backchannel }

/**
 * The whole of CIBA as one router, made of options or of an engine that was made before.
 * @throws TypeError that names the option and the remedy.
 * @example
 * ```ts
 * app.use(createBackchannelRouter({ issuer: 'https://login.example.com', keys, clients, users, session, store }))
 * ```
 */
export function createBackchannelRouter(optionsOrEngine: BackchannelOptions | Backchannel): BackchannelRouter {
  const backchannel = isEngine(optionsOrEngine) ? optionsOrEngine : createBackchannel(optionsOrEngine)
  const ctx = contextOf(backchannel)
  const { paths, interop } = ctx.settings
  const router = Router()
  const post = (path: string, step: Step, endpoint: RequestHandler) =>
    router
      .route(path)
      .post(traced(ctx.telemetry, step, endpoint))
      .all(onlyMethods('POST'))
  const get = (path: string, document: () => object) =>
    router
      .route(path)
      .get((_req, res) => sendJson(res, 200, document(), { 'Cache-Control': 'public, max-age=300' }))
      .all(onlyMethods('GET', 'HEAD'))

  // the two that are called most come first
  post(paths.token, 'token', tokenEndpoint(ctx))
  post(paths.backchannel, 'backchannel_authentication', backchannelEndpoint(ctx))
  if (ctx.tokenHooks.issue === undefined) {
    post(paths.revoke, 'revocation', revocationEndpoint(ctx))
    post(paths.introspect, 'introspection', introspectionEndpoint(ctx))
  }
  get(paths.jwks, backchannel.jwks)
  get(paths.discovery, backchannel.metadata)
  mountUserRoutes(router, ctx)

  if (interop.errorFormat === 'transmit') {
    router.use(paths.backchannel, createErrorHandler(ctx.emit, transmitBody))
    router.use(paths.token, createErrorHandler(ctx.emit, transmitTokenBody))
  }
  router.use(createErrorHandler(ctx.emit))
  return Object.assign(router, { backchannel })
}

function isEngine(value: BackchannelOptions | Backchannel): value is Backchannel {
  return typeof value === 'object' && value !== null && 'approve' in value
}
