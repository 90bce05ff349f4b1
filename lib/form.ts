import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Form } from './contracts.ts'
import { BackchannelError } from './errors.ts'

/** Bytes of a form, characters of one parameter, number of parameters: more is refused. */
export const formLimits = { bytes: 65_536, value: 16_384, parameters: 50 } as const

/** What Express and its body parsers may have left on the request. */
type MaybeParsed = IncomingMessage & { body?: unknown }

/**
 * Reads the form of a request, whether or not a body parser of the host ran before us.
 * `mine` is asked as soon as the form is parsed; when it says no, the body is put back untouched for the host's next
 * handler and the answer is `undefined`.
 *
 * @throws BackchannelError `invalid_request`: wrong media type, malformed, too large, or a repeated parameter.
 */
export async function readForm(
  req: IncomingMessage,
  mine: (form: Form) => boolean = () => true,
): Promise<Form | undefined> {
  requireForm(req)
  if (!req.readableEnded && !('_body' in req && req._body === true)) return readStream(req, mine)
  const form = fromParsed((req as MaybeParsed).body)
  return mine(form) ? form : undefined
}

/** Is this request's body declared to be a form? */
export function isForm(req: IncomingMessage): boolean {
  return /^application\/x-www-form-urlencoded[\t ]*(?:;|$)/i.test(req.headers['content-type'] ?? '')
}

function requireForm(req: IncomingMessage): void {
  if (!isForm(req)) {
    throw invalid('The body must be application/x-www-form-urlencoded')
  }
  const charset = /;[\t ]*charset=[\t ]*"?([^\s;"]*)/i.exec(req.headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw invalid('The body must be encoded in UTF-8')
  const encoding = req.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw invalid('The body must not be compressed')
  if (Number(req.headers['content-length'] ?? 0) > formLimits.bytes) throw tooLarge()
}

/**
 * Collects the body with `read()`, so that its last byte is seen before the stream ends: until then it can be put back.
 */
function readStream(req: IncomingMessage, mine: (form: Form) => boolean): Promise<Form | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0

    const settle = (finish: () => void) => {
      req.off('readable', onReadable).off('end', onEnd).off('close', onClose).off('error', onClose)
      finish()
    }
    const parse = () => {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
      try {
        const form = parseForm(bytes)
        if (mine(form)) return resolve(form)
      } catch (thrown) {
        return reject(thrown)
      }
      if (bytes.length > 0) req.unshift(bytes)
      resolve(undefined)
    }
    const onReadable = () => {
      for (let chunk: Buffer | null = req.read(); chunk !== null; chunk = req.read()) {
        length += chunk.length
        if (length > formLimits.bytes) return settle(() => reject(tooLarge()))
        chunks.push(chunk)
      }
      if (req.complete) settle(parse)
    }
    const onEnd = () => settle(parse)
    const onClose = () => settle(() => reject(invalid('The body ended early')))

    req.on('readable', onReadable).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

/** Parses the bytes of a form. */
export function parseForm(bytes: Buffer): Form {
  if (bytes.length > formLimits.bytes) throw tooLarge()
  if (!isUtf8(bytes)) throw invalid('The body must be encoded in UTF-8')
  const collected = new Collected()
  const text = bytes.toString('utf8')
  if (text === '') return collected
  for (const pair of text.split('&', formLimits.parameters + 1)) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    if (equals === -1) collected.put(decode(pair), '')
    else collected.put(decode(pair.slice(0, equals)), decode(pair.slice(equals + 1)))
  }
  return collected
}

/** Takes what a body parser of the host made of the body: an object, or the text or bytes as they came. */
export function fromParsed(body: unknown): Form {
  if (typeof body === 'string') return parseForm(Buffer.from(body))
  if (Buffer.isBuffer(body)) return parseForm(body)
  if (typeof body !== 'object' || body === null) return new Collected()
  const collected = new Collected()
  for (const [name, value] of Object.entries(body)) {
    if (typeof value === 'string') collected.put(name, value)
    // `a=1&a=2` became an array; `a[]=1` and `a[b]=1` are other names than `a` and mean nothing to us
    else if (Array.isArray(value) && value.length > 1) for (const each of value) collected.put(name, String(each))
  }
  return collected
}

class Collected implements Form {
  readonly values = new Map<string, string>()
  readonly empty = new Set<string>()
  readonly resources: string[] = []
  #count = 0

  put(name: string, value: string): void {
    this.#count += 1
    if (this.#count > formLimits.parameters) throw invalid(`More than ${formLimits.parameters} parameters`)
    if (value.length > formLimits.value) throw invalid('A parameter is too long')
    if (name === 'resource') {
      if (value !== '') this.resources.push(value)
      return
    }
    if (this.values.has(name) || this.empty.has(name)) throw invalid(`Parameter ${label(name)} must not be repeated`)
    if (value === '') this.empty.add(name)
    else this.values.set(name, value)
  }
}

/** Names a parameter in an answer only when it looks like one. */
function label(name: string): string {
  return /^[a-z_]{1,64}$/.test(name) ? name : 'in the body'
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw invalid('The body is not well-formed: a percent-encoding is broken or not UTF-8')
  }
}

function invalid(description: string): BackchannelError {
  return new BackchannelError('invalid_request', description)
}

function tooLarge(): BackchannelError {
  return new BackchannelError('invalid_request', `The body must not be larger than ${formLimits.bytes} bytes`, {
    status: 413,
    headers: { Connection: 'close' },
  })
}
