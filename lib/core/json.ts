/** JSON from outside may be this deep and hold this many values. */
const limits = { depth: 10, nodes: 1_000 } as const

const forbidden = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Parses JSON that came from outside.
 * @throws TypeError when it is not JSON, too deep, too large, or has a name that could reach a prototype.
 */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new TypeError('is not valid JSON')
  }
  checkJson(value)
  return value
}

/**
 * A value that is JSON text in a form, and itself in a signed request.
 * @param refuse Makes the error for text that cannot be parsed, of what is wrong with it.
 */
export function jsonIn(value: unknown, refuse: (what: string) => Error): unknown {
  if (typeof value !== 'string') return value
  try {
    return parseJson(value)
  } catch (thrown) {
    throw refuse((thrown as Error).message)
  }
}

/** @throws TypeError when parsed JSON is too deep, too large, or has a name that could reach a prototype. */
export function checkJson(value: unknown): void {
  let nodes = 0
  const check = (value: unknown, depth: number): void => {
    nodes += 1
    if (nodes > limits.nodes) throw new TypeError(`has more than ${limits.nodes} values`)
    if (typeof value !== 'object' || value === null) return
    if (depth > limits.depth) throw new TypeError(`is nested deeper than ${limits.depth}`)
    for (const [name, member] of Object.entries(value)) {
      if (forbidden.has(name)) throw new TypeError('has a member with a forbidden name')
      check(member, depth + 1)
    }
  }
  check(value, 1)
}

/** Is this a JSON object, not an array and not null? */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The members of `T` that may be `undefined` become optional. */
export type OmitUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The object without members that are `undefined`: absent is absent, also in stores and on the wire. */
export function omitUndefined<T extends object>(value: T): OmitUndefined<T> {
  const kept: Record<string, unknown> = {}
  for (const name of Object.keys(value) as (keyof T & string)[]) {
    const each = value[name]
    if (each === undefined) continue
    // an assignment to this one would change what the object is
    if (name === '__proto__') Object.defineProperty(kept, name, { value: each, enumerable: true })
    else kept[name] = each
  }
  return kept as OmitUndefined<T>
}

/** A copy with other members. On Node 20 a spread that gets further ones takes three times the memory, and records are many. */
export function changed<T extends object>(record: T, changes: Partial<T>): T {
  return Object.assign({}, record, changes)
}
