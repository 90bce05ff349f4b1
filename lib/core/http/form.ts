import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Form } from '../../contracts/contracts.ts'
import { BackchannelError } from '../errors.ts'

/** Bytes of a form, characters of one parameter, number of parameters: more is refused. */
export const formLimits = { bytes: 65_536, value: 16_384, parameters: 50 } as const

/** What Express and its body parsers may have left on the request. */
type MaybeParsed = IncomingMessage & { body?: unknown }

/** Is this form ours? Another one may break our rules: the body goes back untouched for the host's next handler. */
type Mine = (form: Form) => boolean

/**
 * Reads the form of a request, whether or not a body parser of the host ran before us.
 * `mine` is asked as soon as the form is parsed, or what can be told of it when it cannot be; when it says no, the body is
 * put back untouched for the host's next handler and the answer is `undefined`.
 *
 * @throws BackchannelError `invalid_request`: wrong media type, malformed, too large, or a repeated parameter.
 */
export async function readForm(req: IncomingMessage, mine?: Mine): Promise<Form | undefined> {
  requireForm(req)
  if (mine === undefined && Number(req.headers['content-length'] ?? 0) > formLimits.bytes) throw tooLarge()
  if (!req.readableEnded && !('_body' in req && req._body === true)) return readStream(req, mine)
  const { body } = req as MaybeParsed
  return claimed(
    mine,
    () => fromParsed(body),
    () => glanceAtParsed(body),
  )
}

function claimed(mine: Mine | undefined, read: () => Form, glance: () => Form): Form | undefined {
  let form: Form
  try {
    form = read()
  } catch (thrown) {
    if (mine === undefined || mine(glance())) throw thrown
    return undefined
  }
  return mine === undefined || mine(form) ? form : undefined
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
}

/**
 * Collects the body with `read()`, so that its last byte is seen before the stream ends: until then it can be put back.
 */
function readStream(req: IncomingMessage, mine: Mine | undefined): Promise<Form | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0

    const settle = (finish: () => void) => {
      req.off('readable', onReadable).off('end', onEnd).off('close', onClose).off('error', onClose)
      finish()
    }
    const parse = () => {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
      let form: Form | undefined
      try {
        form = claimed(
          mine,
          () => parseForm(bytes),
          () => glanceAt(bytes),
        )
      } catch (thrown) {
        return reject(thrown)
      }
      if (form === undefined && bytes.length > 0) req.unshift(bytes)
      resolve(form)
    }
    const onReadable = () => {
      for (let chunk: Buffer | null = req.read(); chunk !== null; chunk = req.read()) {
        chunks.push(chunk)
        length += chunk.length
        if (length > formLimits.bytes) return settle(parse)
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
    else if (Array.isArray(value) && value.length > 1)
      for (const each of value) collected.put(name, typeof each === 'string' ? each : JSON.stringify(each))
  }
  return collected
}

/** What is said once in a form that breaks our rules. The last pair of one that is too large may be cut off: it is left out. */
function glanceAt(bytes: Buffer): Form {
  const text = bytes.toString('utf8')
  const whole = bytes.length > formLimits.bytes ? text.slice(0, text.lastIndexOf('&') + 1) : text
  return glance(new URLSearchParams(whole))
}

function glanceAtParsed(body: unknown): Form {
  if (typeof body === 'string') return glanceAt(Buffer.from(body))
  if (Buffer.isBuffer(body)) return glanceAt(body)
  return glance(Object.entries(body ?? {}))
}

/** In one pass, as anybody may send thousands of names. */
function glance(pairs: Iterable<readonly [name: string, value: unknown]>): Form {
  const values = new Map<string, string>()
  const seen = new Set<string>()
  for (const [name, value] of pairs) {
    if (seen.has(name)) values.delete(name)
    else if (typeof value === 'string' && value !== '') values.set(name, value)
    seen.add(name)
  }
  return { values, empty: new Set(), resources: [] }
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
