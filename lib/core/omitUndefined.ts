/** The members of `T` that may be `undefined` become optional. */
export type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The object without members that are `undefined`: absent is absent, also in stores and on the wire. */
export function present<T extends object>(value: T): Present<T> {
  const kept: Record<string, unknown> = {}
  for (const name of Object.keys(value) as (keyof T & string)[]) {
    const each = value[name]
    if (each === undefined) continue
    // an assignment to this one would change what the object is
    if (name === '__proto__') Object.defineProperty(kept, name, { value: each, enumerable: true })
    else kept[name] = each
  }
  return kept as Present<T>
}
