import type { ClientMetadata } from '../../contracts/contracts.ts'
import type { TokenWishes } from '../../core/request.ts'

/** Seconds, for every client or client by client; `undefined` leaves it at the default. */
export type Seconds = number | ((client: ClientMetadata) => number | undefined)

export interface Lifetimes {
  readonly accessTokenSeconds: number
  readonly idTokenSeconds: number
  readonly refreshTokenSeconds: number
}

export const defaultLifetimes: Lifetimes = {
  accessTokenSeconds: 3_600,
  idTokenSeconds: 3_600,
  refreshTokenSeconds: 30 * 86_400,
}

/** How long tokens live: what the completion asked for, else the client's own, else everybody's. */
export function createLifetimesOf(
  options: { readonly [Name in keyof Lifetimes]?: Seconds | undefined } & {
    /** No refresh token lives longer than its family may. */
    readonly refreshFamilySeconds?: number
  },
) {
  const longest = options.refreshFamilySeconds ?? Number.POSITIVE_INFINITY
  return (client: ClientMetadata, wishes: TokenWishes | undefined): Lifetimes => {
    const secondsOf = (name: keyof Lifetimes): number => {
      const wished = wishes?.[name]
      if (wished !== undefined) return wished
      const option = options[name]
      const seconds = typeof option === 'function' ? option(client) : option
      if (seconds === undefined) return defaultLifetimes[name]
      if (Number.isSafeInteger(seconds) && seconds > 0) return seconds
      throw new TypeError(`express-ciba: option "tokens.${name}" must return a whole number of seconds, more than 0`)
    }
    return {
      accessTokenSeconds: secondsOf('accessTokenSeconds'),
      idTokenSeconds: secondsOf('idTokenSeconds'),
      refreshTokenSeconds: Math.min(longest, secondsOf('refreshTokenSeconds')),
    }
  }
}
