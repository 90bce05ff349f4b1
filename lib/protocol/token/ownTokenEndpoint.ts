import type { RequestHandler } from 'express'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { asBackchannelError, invalidRequest } from '../../core/errors.ts'
import { isForm, readForm } from '../../core/http/body.ts'
import { type Call, callOf } from '../../core/http/call.ts'
import { sendJson } from '../../core/http/respond.ts'
import { authenticate } from '../client/authenticate.ts'
import { inactive, introspect } from './introspection.ts'
import { type OwnToken, readOwnToken, verifyOwnToken } from './ownTokens.ts'
import { revoke } from './revocation.ts'

/** The answer for a token; `undefined` for one that we did not make. */
type Serve = (ctx: Context, token: OwnToken | undefined, client: Client) => Promise<object | undefined>

/** `POST /oidc/revoke` (RFC 7009): 200 without a body, also for tokens that are not known. */
export function revocationEndpoint(ctx: Context): RequestHandler {
  return ownTokenEndpoint(ctx, ctx.urls.revoke, async (ctx, token, client) => {
    if (token !== undefined) await revoke(ctx, token, client)
    return undefined
  })
}

/** `POST /oidc/introspect` (RFC 7662). */
export function introspectionEndpoint(ctx: Context): RequestHandler {
  return ownTokenEndpoint(ctx, ctx.urls.introspect, async (ctx, token, client) =>
    token === undefined ? inactive : introspect(ctx, token, client),
  )
}

/**
 * An endpoint that is shown a token. Tokens that we did not make go to the host's next handler with the body untouched,
 * unless other grants are refused as well (option `interop.otherGrants`).
 */
function ownTokenEndpoint(ctx: Context, url: string, serve: Serve): RequestHandler {
  const passesOn = ctx.settings.interop.otherGrants === 'next'
  return async (req, res, next) => {
    try {
      if (passesOn && !isForm(req)) return next('router')
      const form = await readForm(req, ({ values }) => !passesOn || isOurs(ctx, values.get('token')))
      if (form === undefined) return next('router')
      const body = await answer(ctx, callOf(ctx, req, form, url), serve)
      if (body === undefined) res.writeHead(200, { 'Cache-Control': 'no-store' }).end()
      else sendJson(res, 200, body)
    } catch (thrown) {
      ctx.emit({ type: 'token.refused', error: asBackchannelError(thrown).code, cause: thrown })
      next(thrown)
    }
  }
}

async function answer(ctx: Context, call: Call, serve: Serve): Promise<object | undefined> {
  const { client } = await authenticate(ctx, call)
  const text = call.form.values.get('token')
  if (text === undefined) throw invalidRequest('token is missing')
  const presented = readOwnToken(ctx, text)
  return serve(ctx, presented && (await verifyOwnToken(ctx, presented)), client)
}

/** A call without a token is answered here: it is wrong for every server. */
function isOurs(ctx: Context, token: string | undefined): boolean {
  return token === undefined || readOwnToken(ctx, token) !== undefined
}
