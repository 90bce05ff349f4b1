import type { Context } from '../../core/context.ts'
import { asymmetricAlgs, hmacAlgs } from '../../core/crypto/jws.ts'

/** Algorithms on offer for what clients sign with their private keys: requests, DPoP proofs. */
export function clientAlgs(ctx: Context): readonly string[] {
  return ctx.rules.algs ?? asymmetricAlgs
}

/** Algorithms on offer for client assertions: those of private keys, and of secrets. */
export function assertionAlgs(ctx: Context): readonly string[] {
  return ctx.rules.algs ?? [...asymmetricAlgs, ...hmacAlgs]
}
