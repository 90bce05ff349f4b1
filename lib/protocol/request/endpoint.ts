import type { Request, RequestHandler } from 'express'
import type { Call, Form } from '../../contracts/contracts.ts'
import { asBackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { readForm } from '../../core/http/form.ts'
import { sendJson } from '../../core/http/respond.ts'
import type { Begun } from './begin.ts'
import type { Acknowledgement } from './issue.ts'

export interface EndpointParts {
  /** Frees a request from Express. */
  callOf(req: Request, form: Form): Call
  begin(call: Call): Promise<Begun>
  issue(begun: Begun): Promise<Acknowledgement>
  readonly emit: Emit
}

/** `POST /oidc/backchannel`: the backchannel authentication endpoint (CIBA Core 7). */
export function backchannelEndpoint({ callOf, begin, issue, emit }: EndpointParts): RequestHandler {
  return async (req, res, next) => {
    try {
      const form = await readForm(req)
      if (form === undefined) return
      sendJson(res, 200, await issue(await begin(callOf(req, form))))
    } catch (thrown) {
      emit({ type: 'request.refused', error: asBackchannelError(thrown).code, cause: thrown })
      next(thrown)
    }
  }
}
