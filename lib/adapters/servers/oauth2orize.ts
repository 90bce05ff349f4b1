import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request } from 'express'
import type { GrantAnswer } from '../../contracts/tokens.ts'

/**
 * The CIBA grant for an oauth2orize server. It authenticates the client by itself, by every method, and answers by
 * itself: oauth2orize's own `TokenError` has neither the codes nor the statuses of CIBA.
 * @throws TypeError when `backchannel` is none.
 * @example
 * ```ts
 * server.exchange('urn:openid:params:grant-type:ciba', cibaExchange(router.backchannel))
 * ```
 */
export function cibaExchange(backchannel: { grant(req: Request): Promise<GrantAnswer | undefined> }) {
  if (typeof backchannel?.grant !== 'function') {
    throw new TypeError('express-ciba: cibaExchange needs the engine: cibaExchange(router.backchannel)')
  }
  return async function ciba(req: IncomingMessage, res: ServerResponse, next: (error?: Error) => void) {
    try {
      const answer = await backchannel.grant(req as Request) // oauth2orize types Express's requests as plain ones
      if (answer === undefined) return next()
      res.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body))
    } catch (thrown) {
      next(thrown as Error)
    }
  }
}
