import type { RequestHandler } from 'express'
import type { Context } from '../../core/context.ts'
import { asBackchannelError } from '../../core/errors.ts'
import { readForm } from '../../core/http/body.ts'
import { callOf } from '../../core/http/call.ts'
import { sendJson } from '../../core/http/respond.ts'
import { begin } from './begin.ts'
import { issue } from './issue.ts'

/** `POST /oidc/backchannel`: the backchannel authentication endpoint (CIBA Core 7). */
export function backchannelEndpoint(ctx: Context): RequestHandler {
  return async (req, res, next) => {
    try {
      const call = callOf(ctx, req, await readForm(req), ctx.urls.backchannel)
      const begun = await begin(ctx, call)
      sendJson(res, 200, await issue(ctx, begun))
    } catch (thrown) {
      ctx.emit({ type: 'request.refused', error: asBackchannelError(thrown).code, cause: thrown })
      next(thrown)
    }
  }
}
