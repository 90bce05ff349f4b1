import type { AskContext } from './context.ts'

/** Our clocks and the store's own differ: what is over by one of them may still be good by another. */
const marginMs = 60_000

/**
 * How the keys of each kind begin, as they do in stores since 0.1: under another key, a token that was revoked before an
 * update would be good again after it.
 */
const prefixes = {
  assertion: 'assertion:',
  request: 'request:',
  dpop: 'dpop:',
  resend: 'resend ',
  bounce: 'bounced ',
  revoked: 'revoked ',
  repeat: 'repeat ',
} as const

/** What is good once. Each kind has keys of its own. */
export type ReplayKind = keyof typeof prefixes

/**
 * Replay guard with one winner: `true` for the first call with this kind and id, `false` for all others until `until`.
 * @param until Epoch milliseconds, whole ones.
 */
export function once(ctx: Pick<AskContext, 'store'>, kind: ReplayKind, id: string, until: number): Promise<boolean> {
  return ctx.store.firstSeen(keyOf(kind, id), until)
}

/** Was `once` called with this kind and id, and is its `until` to come? Changes nothing. */
export function wasSeen(ctx: Pick<AskContext, 'store'>, kind: ReplayKind, id: string): Promise<boolean> {
  return ctx.store.seen(keyOf(kind, id))
}

/**
 * Until when to remember a JWT that is good once, in epoch milliseconds.
 * @param end Epoch seconds from which it is good no more; a JWT's time may have decimals (RFC 7519 2).
 */
export function rememberedUntil(end: number): number {
  return Math.ceil(end * 1000) + marginMs
}

function keyOf(kind: ReplayKind, id: string): string {
  return prefixes[kind] + id
}
