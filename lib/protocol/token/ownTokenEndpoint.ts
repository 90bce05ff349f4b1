import type { Request, RequestHandler } from 'express'
import type { Call, Client, Form } from '../../contracts/contracts.ts'
import { asBackchannelError, BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { isForm, readForm } from '../../core/http/form.ts'
import { sendJson } from '../../core/http/respond.ts'
import type { Presented } from './ownTokens.ts'

export interface PresentedEndpointParts {
  /** Frees a request from Express. */
  callOf(req: Request, form: Form): Call
  authenticate(call: Call): Promise<{ readonly client: Client }>
  /** `undefined` for a token that we did not make. */
  readPresented(token: string): Presented | undefined
  readonly otherGrants: 'next' | 'refuse'
  readonly emit: Emit
  /** The answer for a token of ours; `undefined`: nothing but 200. */
  serve(presented: Presented, token: string, client: Client): Promise<unknown>
  /** The answer for a token that nobody here made. */
  readonly unknown: unknown
}

/**
 * An endpoint that is shown a token (RFC 7009, RFC 7662). Tokens of the host's own go to its next handler with the body
 * untouched, unless other grants are refused as well.
 */
export function presentedEndpoint(parts: PresentedEndpointParts): RequestHandler {
  const { callOf, authenticate, readPresented, emit } = parts
  const passesOn = parts.otherGrants === 'next'

  async function answer(call: Call): Promise<unknown> {
    const { client } = await authenticate(call)
    const token = call.form.values.get('token')
    if (token === undefined) throw new BackchannelError('invalid_request', 'token is missing')
    const presented = readPresented(token)
    return presented === undefined ? parts.unknown : parts.serve(presented, token, client)
  }

  return async (req, res, next) => {
    try {
      if (passesOn && !isForm(req)) return next('router')
      const form = await readForm(req, ({ values }) => !passesOn || isOurs(values.get('token')))
      if (form === undefined) return next('router')
      const body = await answer(callOf(req, form))
      if (body === undefined) res.writeHead(200, { 'Cache-Control': 'no-store' }).end()
      else sendJson(res, 200, body)
    } catch (thrown) {
      emit({ type: 'token.refused', error: asBackchannelError(thrown).code, cause: thrown })
      next(thrown)
    }
  }

  /** A call without a token is nobody else's either. */
  function isOurs(token: string | undefined): boolean {
    return token === undefined || readPresented(token) !== undefined
  }
}
