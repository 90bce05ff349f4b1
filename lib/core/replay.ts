/** Our clocks and the store's own differ: what is over by one of them may still be good by another. */
const marginMs = 60_000

/**
 * Until when to remember what is good once, in epoch milliseconds. Whole ones, as stores take no others: a JWT's time may
 * have decimals (RFC 7519 2).
 * @param end Epoch seconds from which it is good no more.
 */
export function rememberedUntil(end: number): number {
  return Math.ceil(end * 1000) + marginMs
}
