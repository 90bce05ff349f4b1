import type { AskContext } from './context.ts'

/** Our clocks and the store's own differ: what is over by one of them may still be good by another. */
const marginMs = 60_000

/** What is good once. Each kind has keys of its own. */
export type ReplayKind = 'assertion' | 'request' | 'dpop' | 'resend' | 'bounce' | 'revoked'

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
  return `${kind}:${id}`
}
