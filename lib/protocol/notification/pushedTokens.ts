import type { RequestRecord } from '../../contracts/request.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { aad } from '../../core/crypto/vault.ts'
import { mintPushed } from '../token/issue.ts'
import { revokePushed } from '../token/revocation.ts'

// The tokens of a push request are minted once, the same at every try, sealed while they wait, and erased afterwards.

/** A token response as it is pushed. */
export type PushedTokens = Readonly<Record<string, unknown>>

/**
 * The tokens of an approved request that is pushed. Callers at the same time share one minting.
 * @returns `undefined` when the request has been delivered or given up in the meantime.
 */
export async function takeTokens(
  ctx: Context,
  record: RequestRecord,
  client: Client,
  authReqId: string,
): Promise<PushedTokens | undefined> {
  if (record.status === 'delivering') return open(ctx, record)
  const { id } = record
  const underWay = ctx.mintings.get(id)
  if (underWay !== undefined) return underWay
  const minting = mintAndSeal(ctx, record, client, authReqId).finally(() => ctx.mintings.delete(id))
  ctx.mintings.set(id, minting)
  return minting
}

/** Resolves when no tokens of this request are being made in this process. */
export async function settledTokens(ctx: Context, request: string): Promise<void> {
  await ctx.mintings.get(request)?.catch(() => {})
}

/** The client has them: they need not be kept. */
export async function handedOver(ctx: Context, record: RequestRecord): Promise<void> {
  const changes = { sealedDelivery: '' }
  await ctx.store.move(record.id, { from: 'delivering', to: 'delivered', changes, now: inTime(ctx, record) })
}

/** The client will not get them: they are revoked, and what is kept of them is erased. */
export async function dropTokens(ctx: Context, record: RequestRecord): Promise<void> {
  const current = await ctx.store.find(record.id)
  if (current?.status !== 'delivering') return
  await revokePushed(ctx, open(ctx, current))
  const changes = { sealedDelivery: '' }
  await ctx.store.move(record.id, { from: 'delivering', to: 'approved', changes, now: inTime(ctx, record) })
}

/** One winner stores its tokens; those of all others are revoked. */
async function mintAndSeal(
  ctx: Context,
  record: RequestRecord,
  client: Client,
  authReqId: string,
): Promise<PushedTokens | undefined> {
  const tokens = await mintPushed(ctx, record, client, authReqId)
  const sealedDelivery = ctx.vault.seal(JSON.stringify(tokens), aad('delivery', record.id))
  const move = { from: 'approved', to: 'delivering', changes: { sealedDelivery }, now: ctx.clock() } as const
  const result = await ctx.store.move(record.id, move)
  if (result?.moved) return tokens
  await revokePushed(ctx, tokens)
  return result?.record.status === 'delivering' ? open(ctx, result.record) : undefined
}

function open(ctx: Context, { id, sealedDelivery = '' }: RequestRecord): PushedTokens {
  return JSON.parse(ctx.vault.open(sealedDelivery, aad('delivery', id)))
}

/** The time of a move after a try: the last one may end after `expiresAt`, when the store would refuse the move. */
function inTime(ctx: Context, { expiresAt }: RequestRecord): number {
  return Math.min(ctx.clock(), expiresAt - 1)
}
