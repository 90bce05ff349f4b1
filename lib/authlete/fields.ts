import { z } from 'zod'
import { invalidRequest, issueText } from '../core/errors.ts'
import { isObject } from '../core/json.ts'

/** The members of a call, from JSON or a form. `null` and `''` are absent, except that `parameters` may be empty. */
function membersOf(body: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(body)) throw invalidRequest('The body must be a JSON object or a form')
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value != null && (value !== '' || name === 'parameters')),
  )
}

/** @throws BackchannelError 400 that names the member. */
export function readMembers<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(membersOf(body))
  if (result.success) return result.data
  throw invalidRequest(issueText(result.error.issues[0]))
}

/** The kinds of members. Forms have text only: numbers, booleans and lists are read from it. */
export const text = z.string('must be a string').optional()
export const anything = z.unknown().optional()
export const number = z.preprocess(numberIn, z.int('must be a whole number')).optional()
export const flag = z.preprocess(flagIn, z.boolean('must be true or false')).optional()
/** Strings: in a form repeated, as JSON, or separated by spaces. */
export const texts = z.preprocess(listIn, z.array(z.string('must be a string'), 'must be an array')).optional()
/** Objects: in a form, and in some of the SDKs, as JSON text. */
export const list = z.preprocess(listIn, z.array(z.unknown(), 'must be an array')).optional()

function numberIn(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
}

function flagIn(value: unknown): unknown {
  return value === 'true' || value === 'false' ? value === 'true' : value
}

function listIn(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (!value.startsWith('[')) return value.split(' ').filter(Boolean)
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
