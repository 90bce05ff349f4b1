import type { BackchannelStore } from 'express-ciba'

/** Told before and after each verb of a store; the verb waits for it. */
export type Announce = (step: string) => Promise<void>

/** A store that says what it is about to do and what it has done, so that a test can end the process in between. */
export function withSteps(store: BackchannelStore, announce: Announce): BackchannelStore {
  return new Proxy(store, {
    get(target, verb, receiver) {
      const value = Reflect.get(target, verb, receiver)
      if (typeof value !== 'function' || verb === 'close') return value
      return async (...args: unknown[]) => {
        await announce(`before ${String(verb)}`)
        const result = await value.apply(target, args)
        await announce(`after ${String(verb)}`)
        return result
      }
    },
  })
}
