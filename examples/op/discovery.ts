import type { RequestHandler } from 'express'
import type { Backchannel } from 'express-ciba'

/** Endpoints that are the example's own. */
export interface OwnEndpoints {
  readonly authorization_endpoint: string
  readonly registration_endpoint?: string
}

/** A discovery document of the host: the package's members, and its own beside them. */
export function discoveryRoute(backchannel: Backchannel, own: OwnEndpoints): RequestHandler {
  const document = backchannel.mergeMetadata({ ...own })
  return (_req, res) => void res.json(document)
}

/** There is nothing to see here: users are asked on their own device. */
export const authorizeRoute: RequestHandler = (_req, res) => {
  res.status(400).json({ error: 'unsupported_response_type', error_description: 'Use the backchannel endpoint' })
}
