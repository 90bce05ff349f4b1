import type { ServerResponse } from 'node:http'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { asBackchannelError, BackchannelError } from '../errors.ts'
import type { Emit } from '../events.ts'

/** Writes a JSON answer that nobody may store (RFC 6749 5.1). */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const usual = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  }
  res.writeHead(status, headers === undefined ? usual : { ...usual, ...headers })
  res.end(text)
}

/** Answers every other method than the ones named. */
export function onlyMethods(...methods: string[]): RequestHandler {
  const allow = methods.join(', ')
  return () => {
    throw new BackchannelError('invalid_request', `Use ${allow}`, { status: 405, headers: { Allow: allow } })
  }
}

/**
 * The one place where an error becomes an answer. Errors we do not know say nothing but `server_error`.
 * `bodyOf`: the shape of the answer, where it is not that of OAuth.
 */
export function createErrorHandler(
  emit: Emit,
  bodyOf: (error: BackchannelError) => object = (error) => error,
): ErrorRequestHandler {
  return (thrown, _req, res, next) => {
    if (res.headersSent) return next(thrown)
    // Express could not decode a part of the path
    const malformed = thrown instanceof URIError
    const error = malformed
      ? new BackchannelError('invalid_request', 'The URL is not well-formed')
      : asBackchannelError(thrown)
    if (error !== thrown && !malformed) emit({ type: 'fault', cause: thrown })
    sendJson(res, error.status, bodyOf(error), error.headers)
  }
}
