import { isUtf8 } from 'node:buffer'
import type { Form } from '../../contracts/channel.ts'
import { type BackchannelError, invalidRequest } from '../errors.ts'

/** Bytes of a form, characters of one parameter, number of parameters: more is refused. */
export const limits = { bytes: 65_536, value: 16_384, parameters: 50 } as const

/**
 * Parses the bytes of a form.
 * @throws BackchannelError `invalid_request`: malformed, too large, or a repeated parameter.
 */
export function parse(bytes: Buffer): Form {
  if (bytes.length > limits.bytes) throw tooLarge()
  if (!isUtf8(bytes)) throw invalidRequest('The body must be encoded in UTF-8')
  const collected = new Collected()
  const text = bytes.toString('utf8')
  if (text === '') return collected
  for (const pair of text.split('&', limits.parameters + 1)) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    if (equals === -1) collected.put(decode(pair), '')
    else collected.put(decode(pair.slice(0, equals)), decode(pair.slice(equals + 1)))
  }
  return collected
}

/**
 * Takes what a body parser of the host made of the body: an object, or the text or bytes as they came.
 * @throws BackchannelError as `parse`.
 */
export function fromParsed(body: unknown): Form {
  if (typeof body === 'string') return parse(Buffer.from(body))
  if (Buffer.isBuffer(body)) return parse(body)
  const collected = new Collected()
  if (typeof body !== 'object' || body === null) return collected
  for (const [name, value] of Object.entries(body)) {
    if (typeof value === 'string') collected.put(name, value)
    // `a=1&a=2` became an array; `a[]=1` and `a[b]=1` are other names than `a` and mean nothing to us
    else if (Array.isArray(value) && value.length > 1) {
      for (const each of value) collected.put(name, typeof each === 'string' ? each : JSON.stringify(each))
    }
  }
  return collected
}

/** What can be told of a form that `parse` refuses: parameters that are in it once. */
export function glance(bytes: Buffer): Form {
  const text = bytes.toString('utf8')
  // the last pair of a form that is too large may be cut off: it is left out
  const whole = bytes.length > limits.bytes ? text.slice(0, text.lastIndexOf('&') + 1) : text
  return onceNamed(new URLSearchParams(whole))
}

/** As `glance`, of what a body parser of the host made of the body. */
export function glanceAtParsed(body: unknown): Form {
  if (typeof body === 'string') return glance(Buffer.from(body))
  if (Buffer.isBuffer(body)) return glance(body)
  return onceNamed(Object.entries(body ?? {}))
}

/** In one pass: anybody may send thousands of names. */
function onceNamed(pairs: Iterable<readonly [name: string, value: unknown]>): Form {
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
    if (this.#count > limits.parameters) throw invalidRequest(`More than ${limits.parameters} parameters`)
    if (value.length > limits.value) throw invalidRequest('A parameter is too long')
    if (name === 'resource') {
      if (value !== '') this.resources.push(value)
      return
    }
    if (this.values.has(name) || this.empty.has(name)) {
      throw invalidRequest(`Parameter ${label(name)} must not be repeated`)
    }
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
    throw invalidRequest('The body is not well-formed: a percent-encoding is broken or not UTF-8')
  }
}

/** The body is larger than `limits.bytes`; the connection is closed, as the rest of it is not read. */
export function tooLarge(): BackchannelError {
  return invalidRequest(`The body must not be larger than ${limits.bytes} bytes`, {
    status: 413,
    headers: { Connection: 'close' },
  })
}
