import type { Request, RequestHandler } from 'express'
import type { GrantAnswer, GrantCall } from '../../contracts/tokens.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { asBackchannelError, BackchannelError, invalidRequest } from '../../core/errors.ts'
import { errorOf } from '../../core/events.ts'
import { isForm, readForm } from '../../core/http/body.ts'
import { type Call, callOf, whenAborted } from '../../core/http/call.ts'
import { fromParsed } from '../../core/http/form.ts'
import { sendJson } from '../../core/http/respond.ts'
import { isObject, omitUndefined } from '../../core/json.ts'
import { authenticate } from '../client/authenticate.ts'
import { cibaGrantType } from '../client/metadataSchema.ts'
import { redeem } from './cibaGrant.ts'
import type { TokenAnswer } from './grant.ts'
import { refresh } from './refreshGrant.ts'
import { familyOf, refreshGrantType } from './refreshToken.ts'

/** Serves one grant type for an authenticated client. */
type ServeGrant = (
  ctx: Context,
  call: Call,
  client: RegisteredClient,
  certificateThumbprint: string | undefined,
) => Promise<TokenAnswer>

/** The values of `grant_type` that are served here. Where the host issues the tokens, it refreshes them too. */
export function grantTypes(ctx: Context): readonly string[] {
  return ctx.tokenHooks.issue === undefined ? [cibaGrantType, refreshGrantType] : [cibaGrantType]
}

/** `POST /oidc/token`: our grants are served, all others go to the host's next handler with the body untouched. */
export function tokenEndpoint(ctx: Context): RequestHandler {
  return async (req, res, next) => {
    try {
      const answer = await serveToken(ctx, req)
      if (answer === undefined) next('router')
      else sendJson(res, answer.status, answer.body)
    } catch (thrown) {
      next(thrown)
    }
  }
}

/**
 * Serves a token request when its grant is ours. `undefined`: it is the host's, and the body is untouched.
 * @throws BackchannelError RFC 6749 5.2, CIBA Core 11.
 */
export async function serveToken(ctx: Context, req: Request): Promise<TokenAnswer | undefined> {
  const passesOn = ctx.settings.interop.otherGrants === 'next'
  try {
    if (passesOn && !isForm(req) && !isOursInJson(ctx, req.body)) return undefined
    const form = await readForm(req, ({ values }) => !passesOn || isOurs(ctx, (name) => values.get(name)))
    if (form === undefined) return undefined
    return await serveCall(ctx, callOf(ctx, req, form, ctx.urls.token))
  } catch (thrown) {
    ctx.emit({ type: 'token.refused', error: asBackchannelError(thrown).code, cause: thrown })
    throw thrown
  }
}

/**
 * Authenticates the client, and serves the grant that its form names.
 * @throws BackchannelError RFC 6749 5.2, CIBA Core 11.
 */
export async function serveCall(ctx: Context, call: Call): Promise<TokenAnswer> {
  const serve = grantFor(ctx, call)
  const { client, certificateThumbprint } = await authenticate(ctx, call)
  return serve(ctx, call, client, certificateThumbprint)
}

/** As `serveToken`, for a route of the host's own: protocol errors become answers, nothing is thrown. */
export async function answerGrant(ctx: Context, req: Request): Promise<GrantAnswer | undefined> {
  try {
    const answer = await serveToken(ctx, req)
    return answer && grantAnswer(answer)
  } catch (thrown) {
    return errorAnswer(ctx, thrown)
  }
}

/** As `answerGrant`, for a server that is not Express. Every `grant_type` that is not ours is an error here. */
export async function answerGrantFor(ctx: Context, call: GrantCall): Promise<GrantAnswer> {
  const { parameters, authorization, dpop = [], certificate, signal } = call
  try {
    const answer = await serveCall(
      ctx,
      omitUndefined({
        form: fromParsed(parameters),
        authorization,
        dpop,
        url: ctx.urls.token,
        mtlsUrl: ctx.mtlsUrls.token,
        certificate: () => (certificate === undefined ? undefined : { x509: certificate, chained: true }),
        whenGone: signal && whenAborted(signal),
      }),
    )
    return grantAnswer(answer)
  } catch (thrown) {
    return errorAnswer(ctx, thrown)
  }
}

function grantFor(ctx: Context, { form }: Call): ServeGrant {
  const grantType = form.values.get('grant_type')
  if (grantType === undefined) throw invalidRequest('grant_type is missing')
  if (!grantTypes(ctx).includes(grantType)) {
    throw new BackchannelError('unsupported_grant_type', 'This grant_type is not served here')
  }
  return grantType === cibaGrantType ? redeem : refresh
}

/** A form without a grant type is answered here: it is wrong for every server. */
function isOurs(ctx: Context, parameter: (name: string) => unknown): boolean {
  const grantType = parameter('grant_type')
  return grantType === undefined || isOurGrant(ctx, grantType, parameter)
}

/** A body that a parser of the host read as JSON: ours are refused here, as they have to be forms. */
function isOursInJson(ctx: Context, body: unknown): boolean {
  return isObject(body) && isOurGrant(ctx, body.grant_type, (name) => body[name])
}

/** Refresh tokens that we did not make are the host's. */
function isOurGrant(ctx: Context, grantType: unknown, parameter: (name: string) => unknown): boolean {
  if (typeof grantType !== 'string' || !grantTypes(ctx).includes(grantType)) return false
  if (grantType !== refreshGrantType) return true
  const token = parameter('refresh_token')
  return typeof token === 'string' && familyOf(ctx, token) !== undefined
}

function grantAnswer(
  { status, body, issued }: TokenAnswer,
  headers: Readonly<Record<string, string>> = {},
): GrantAnswer {
  return omitUndefined({
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
    body,
    sub: issued?.grant.subject,
  })
}

function errorAnswer(ctx: Context, thrown: unknown): GrantAnswer {
  const error = errorOf(ctx.emit, thrown)
  return grantAnswer({ status: error.status, body: error.toJSON() }, error.headers)
}
