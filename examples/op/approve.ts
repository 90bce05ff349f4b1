import type { RequestHandler } from 'express'
import type { Backchannel } from 'express-ciba'
import type { HeldQueue } from './heldQueue.ts'

export interface ApproveOptions extends Pick<HeldQueue, 'hold'> {
  /** What the user's login reaches. */
  readonly acr?: string | undefined
}

/**
 * Answers for the user: `?auth_req_id=…&action=allow|deny`. 204, or 4xx with JSON. Never serve this to anybody real.
 * The caller has its answer before the client is pinged: a suite that does both may not listen while it asks.
 */
export function approveRoute(backchannel: Backchannel, { hold, acr }: ApproveOptions): RequestHandler {
  const login = () => ({ authTime: Math.floor(Date.now() / 1000), ...(acr === undefined ? {} : { acr }) })
  return async (req, res) => {
    const { auth_req_id: authReqId, action } = req.query
    const found = typeof authReqId === 'string' ? await backchannel.find(authReqId) : undefined
    if (typeof authReqId !== 'string' || found?.sub === undefined) {
      res.status(404).json({ error: 'invalid_request', error_description: 'No such auth_req_id' })
    } else if (action !== 'allow' && action !== 'deny') {
      res.status(400).json({ error: 'invalid_request', error_description: 'action must be allow or deny' })
    } else {
      res.once('close', hold(found.request))
      try {
        if (action === 'allow') await backchannel.approve({ request: authReqId, by: { sub: found.sub, ...login() } })
        else await backchannel.deny({ request: authReqId })
        res.status(204).end()
      } catch (thrown) {
        const { status = 500 } = thrown as { status?: number }
        res.status(status).json(thrown)
      }
    }
  }
}
