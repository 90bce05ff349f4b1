import type { ServerResponse } from 'node:http'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import type { ErrorCode } from '../../contracts/errors.ts'
import type { Step, Telemetry } from '../../contracts/telemetry.ts'
import { asBackchannelError, type BackchannelError, invalidRequest } from '../errors.ts'
import type { Emit } from '../events.ts'
import { observe } from '../observe.ts'

/** Writes a JSON answer that must not be stored (RFC 6749 5.1), unless `headers` say otherwise. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: object,
  headers?: Readonly<Record<string, string>>,
): void {
  const text = JSON.stringify(body)
  const usual = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  }
  res.writeHead(status, headers === undefined ? usual : { ...usual, ...headers })
  res.end(text)
}

/** Sends a browser on, and tells nobody where it came from. */
export function seeOther(res: ServerResponse, location: string): void {
  res.writeHead(303, { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).end()
}

/** Answers every other method than the ones named. */
export function onlyMethods(...methods: string[]): RequestHandler {
  const allow = methods.join(', ')
  return () => {
    throw invalidRequest(`Use ${allow}`, { status: 405, headers: { Allow: allow } })
  }
}

/**
 * Parses a JSON body of at most `limit` bytes (`'16kb'`), unless a body parser of the host did.
 * @param description What the caller is told when the body cannot be read.
 */
export function readJson(limit: string, description = 'The body must be JSON'): RequestHandler {
  return orUnreadable(express.json({ limit }), description)
}

/** A body parser whose failures become `invalid_request` with this description; 413 for a body that is too large. */
export function orUnreadable(parser: RequestHandler, description: string): RequestHandler {
  return (req, res, next) =>
    parser(req, res, (cause?: unknown) => {
      if (!cause) return next()
      const isTooLarge = (cause as { status?: unknown }).status === 413
      next(invalidRequest(description, { cause, status: isTooLarge ? 413 : 400 }))
    })
}

/** A route's handler as telemetry sees it: what it passes to `next` as an error is how it ended. */
export function traced(telemetry: Telemetry | undefined, step: Step, handler: RequestHandler): RequestHandler {
  if (telemetry === undefined) return handler
  return async (req, res, next) => {
    let passed: readonly unknown[] | undefined
    const run = async () => {
      await handler(req, res, (...args: unknown[]) => {
        passed = args
      })
      if (passed?.[0] instanceof Error) throw passed[0]
    }
    try {
      await observe(telemetry, step, run)
    } catch (thrown) {
      passed ??= [thrown]
    }
    if (passed !== undefined) next(...(passed as Parameters<typeof next>))
  }
}

/**
 * The one place where an error becomes an answer. Errors we do not know say nothing but `server_error`.
 * @param bodyOf The shape of the answer, where it is not that of OAuth.
 */
export function createErrorHandler(
  emit: Emit,
  bodyOf: (error: BackchannelError) => object = (error) => error,
): ErrorRequestHandler {
  return (thrown, _req, res, next) => {
    if (res.headersSent) return next(thrown)
    // Express could not decode a part of the path
    const isMalformed = thrown instanceof URIError
    const error = isMalformed ? invalidRequest('The URL is not well-formed') : asBackchannelError(thrown)
    if (error !== thrown && !isMalformed) emit({ type: 'fault', cause: thrown })
    sendJson(res, error.status, bodyOf(error), error.headers)
  }
}

/** What polls are answered with; these keep their OAuth shape. */
const pollCodes: readonly ErrorCode[] = ['authorization_pending', 'slow_down', 'access_denied', 'expired_token']

/** An error in the shape of Transmit's OIDC endpoints: `message` is a list for 400, a text for everything else. */
export function transmitBody(error: BackchannelError): object {
  const { error_description: text } = error.toJSON()
  return { message: error.status === 400 ? [text] : text, error_code: error.status }
}

/** As above, at the token endpoint. */
export function transmitTokenBody(error: BackchannelError): object {
  return pollCodes.includes(error.code) ? error : transmitBody(error)
}
