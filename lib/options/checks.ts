// What zod has no word for.
import { isObject } from '../core/json.ts'

/** An https URL without query, fragment and user; http on loopback only. */
export function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) return false
  const { protocol, hostname, username } = new URL(text)
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return username === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback))
}

export function areTables(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isObject)
}

/** A zod schema, or an object with one. */
export function isDetailType(type: unknown): boolean {
  return (
    hasFunctions(type, 'safeParse') || (isObject(type) && 'schema' in type && hasFunctions(type.schema, 'safeParse'))
  )
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

export function isKeySet(value: unknown): boolean {
  const keys = (value as { keys?: unknown } | null | undefined)?.keys
  return Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key?.kty === 'string')
}

/** Is this an object, and no array, with these functions? */
export function hasFunctions(value: unknown, ...names: string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === 'function')
}

/** Are these functions, as far as they are there? */
export function hasOptionalFunctions(value: object, ...names: string[]): boolean {
  return names.every((name) => ['function', 'undefined'].includes(typeof (value as Record<string, unknown>)[name]))
}
