import type { Request, RequestHandler } from 'express'
import type { Call, Client, Form } from '../../contracts/contracts.ts'
import { asBackchannelError, BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { isForm, readForm } from '../../core/http/form.ts'
import { sendJson } from '../../core/http/respond.ts'
import { isObject } from '../../core/json.ts'
import type { TokenAnswer } from './cibaGrant.ts'

/** The extension grant of CIBA Core 4. */
export const cibaGrantType = 'urn:openid:params:grant-type:ciba'

/** Serves one grant type for an authenticated client. */
export type ServeGrant = (call: Call, client: Client, certificateThumbprint: string | undefined) => Promise<TokenAnswer>

/** A grant type that is served here. */
export interface ServedGrant {
  readonly serve: ServeGrant
  /** Some grants are served for what we made, and the host serves the rest of them. Defaults to: all are ours. */
  isOurs?(parameter: (name: string) => unknown): boolean
}

export interface ServeTokenParts {
  /** Frees a request from Express. */
  callOf(req: Request, form: Form): Call
  authenticate(call: Call): Promise<{ readonly client: Client; readonly certificateThumbprint?: string | undefined }>
  /** The grants that are ours, by `grant_type`. */
  readonly grants: ReadonlyMap<string, ServedGrant>
  readonly otherGrants: 'next' | 'refuse'
  readonly emit: Emit
}

/**
 * Serves a token request when its grant is ours. `undefined`: it is the host's, and the body is untouched.
 * @throws BackchannelError
 */
export type ServeToken = (req: Request) => Promise<TokenAnswer | undefined>

export function createServeToken(parts: ServeTokenParts): ServeToken {
  const { callOf, grants, otherGrants, emit } = parts
  const serveCall = createServeCall(parts)
  const passesOn = otherGrants === 'next'

  return async (req) => {
    try {
      if (passesOn && !isForm(req) && !isOursInJson(req.body, grants)) return undefined
      const form = await readForm(req, (form) => !passesOn || isOurs(form, grants))
      if (form === undefined) return undefined
      return await serveCall(callOf(req, form))
    } catch (thrown) {
      emit({ type: 'token.refused', error: asBackchannelError(thrown).code, cause: thrown })
      throw thrown
    }
  }
}

/** Authenticates the client, and serves the grant that its form names. */
export function createServeCall({ authenticate, grants }: Pick<ServeTokenParts, 'authenticate' | 'grants'>) {
  return async (call: Call): Promise<TokenAnswer> => {
    const grant = grantFor(call.form, grants)
    const { client, certificateThumbprint } = await authenticate(call)
    return grant(call, client, certificateThumbprint)
  }
}

/** `POST /oidc/token`: our grants are served, all others go to the host's next handler with the body untouched. */
export function tokenEndpoint(serve: ServeToken): RequestHandler {
  return async (req, res, next) => {
    try {
      const answer = await serve(req)
      if (answer === undefined) next('router')
      else sendJson(res, answer.status, answer.body, answer.headers)
    } catch (thrown) {
      next(thrown)
    }
  }
}

/** A form without a grant type is nobody else's either. */
function isOurs({ values }: Form, grants: ReadonlyMap<string, ServedGrant>): boolean {
  const grantType = values.get('grant_type')
  return grantType === undefined || isServed(grants.get(grantType), (name) => values.get(name))
}

function isOursInJson(body: unknown, grants: ReadonlyMap<string, ServedGrant>): boolean {
  return (
    isObject(body) && typeof body.grant_type === 'string' && isServed(grants.get(body.grant_type), (name) => body[name])
  )
}

function isServed(grant: ServedGrant | undefined, parameter: (name: string) => unknown): boolean {
  return grant !== undefined && (grant.isOurs?.(parameter) ?? true)
}

function grantFor(form: Form, grants: ReadonlyMap<string, ServedGrant>): ServeGrant {
  const grantType = form.values.get('grant_type')
  if (grantType === undefined) throw new BackchannelError('invalid_request', 'grant_type is missing')
  const grant = grants.get(grantType)
  if (grant === undefined) throw new BackchannelError('unsupported_grant_type', 'This grant_type is not served here')
  return grant.serve
}
