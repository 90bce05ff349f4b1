import type { IncomingMessage } from 'node:http'
import type { Form } from '../../contracts/channel.ts'
import { invalidRequest } from '../errors.ts'
import { fromParsed, glance, glanceAtParsed, limits, parse, tooLarge } from './form.ts'

/** What Express and its body parsers may have left on the request. */
type MaybeParsed = IncomingMessage & { body?: unknown; _body?: unknown }

/** Is this form ours? Another one may break our rules: the body goes back untouched for the host's next handler. */
type IsOurs = (form: Form) => boolean

/**
 * Reads the form of a request, whether or not a body parser of the host ran before us.
 * @throws BackchannelError `invalid_request`: wrong media type, malformed, too large, or a repeated parameter.
 */
export function readForm(req: IncomingMessage): Promise<Form>
/**
 * As above, for forms that may be meant for the host. `isOurs` is asked about the form, or about what can be told of it
 * when it cannot be parsed. When it says no, the body is put back untouched and the result is `undefined`.
 */
export function readForm(req: IncomingMessage, isOurs: IsOurs): Promise<Form | undefined>
export async function readForm(req: MaybeParsed, isOurs?: IsOurs): Promise<Form | undefined> {
  requireForm(req)
  // a form that may be the host's has to be read to know whose it is
  if (isOurs === undefined && Number(req.headers['content-length'] ?? 0) > limits.bytes) throw tooLarge()
  if (req.readableEnded || req._body === true) {
    const { body } = req
    return oursAlone(
      isOurs,
      () => fromParsed(body),
      () => glanceAtParsed(body),
    )
  }
  return readStream(req, (bytes) =>
    oursAlone(
      isOurs,
      () => parse(bytes),
      () => glance(bytes),
    ),
  )
}

/** Is this request's body declared to be a form? */
export function isForm(req: IncomingMessage): boolean {
  return /^application\/x-www-form-urlencoded[\t ]*(?:;|$)/i.test(req.headers['content-type'] ?? '')
}

function requireForm(req: IncomingMessage): void {
  if (!isForm(req)) throw invalidRequest('The body must be application/x-www-form-urlencoded')
  const charset = /;[\t ]*charset=[\t ]*"?([^\s;"]*)/i.exec(req.headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw invalidRequest('The body must be encoded in UTF-8')
  const encoding = req.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw invalidRequest('The body must not be compressed')
}

/** The form when it is ours. One that cannot be parsed is judged by a glance at it. */
function oursAlone(isOurs: IsOurs | undefined, read: () => Form, glance: () => Form): Form | undefined {
  let form: Form
  try {
    form = read()
  } catch (thrown) {
    if (isOurs === undefined || isOurs(glance())) throw thrown
    return undefined
  }
  return isOurs === undefined || isOurs(form) ? form : undefined
}

/**
 * Collects the body with `read()`, so that its last byte is seen before the stream ends. Only until then can it be put
 * back, which happens when `interpret` returns `undefined`: in the same turn, not after an `await`.
 */
function readStream(req: IncomingMessage, interpret: (bytes: Buffer) => Form | undefined): Promise<Form | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0

    const stop = () => req.off('readable', onReadable).off('end', finish).off('close', onClose).off('error', onClose)
    const finish = () => {
      stop()
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
      try {
        const form = interpret(bytes)
        if (form === undefined && bytes.length > 0) req.unshift(bytes)
        resolve(form)
      } catch (thrown) {
        reject(thrown)
      }
    }
    const onReadable = () => {
      for (let chunk: Buffer | null = req.read(); chunk !== null; chunk = req.read()) {
        chunks.push(chunk)
        length += chunk.length
        if (length > limits.bytes) return finish()
      }
      if (req.complete) finish()
    }
    const onClose = () => {
      stop()
      reject(invalidRequest('The body ended early'))
    }

    req.on('readable', onReadable).on('end', finish).on('close', onClose).on('error', onClose)
  })
}
