import type { BackchannelStore, Client } from '../../contracts/contracts.ts'
import { contextOf, type Vault } from '../../core/crypto/vault.ts'
import type { RequestRecord } from '../../core/request.ts'

/** A token response as it is pushed. */
export type PushedTokens = Readonly<Record<string, unknown>>

export interface TokensParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  readonly vault: Vault
  /** Makes the token response of an approved request, its ID token bound to the `auth_req_id` (CIBA Core 10.3.1). */
  mintTokens(record: RequestRecord, client: Client, authReqId: string): Promise<PushedTokens>
  /** Makes tokens worthless that nobody received. */
  revokeTokens(record: RequestRecord, tokens: PushedTokens): Promise<void>
}

/** The tokens of a push request: minted once, the same at every try, sealed while they wait, and gone afterwards. */
export function createTokens({ store, clock, vault, mintTokens, revokeTokens }: TokensParts) {
  const underWay = new Map<string, Promise<PushedTokens | undefined>>()

  /** Callers at the same time share one minting. `undefined`: somebody else has finished the request. */
  async function take(record: RequestRecord, client: Client, authReqId: string): Promise<PushedTokens | undefined> {
    if (record.status === 'delivering') return open(record)
    const running = underWay.get(record.id) ?? make(record, client, authReqId).finally(() => underWay.delete(record.id))
    underWay.set(record.id, running)
    return running
  }

  async function make(record: RequestRecord, client: Client, authReqId: string): Promise<PushedTokens | undefined> {
    const tokens = await mintTokens(record, client, authReqId)
    const sealedDelivery = vault.seal(JSON.stringify(tokens), contextOf('delivery', record.id))
    const move = { from: 'approved', to: 'delivering', changes: { sealedDelivery }, now: clock() } as const
    const result = await store.move(record.id, move)
    if (result?.moved) return tokens
    await revokeTokens(record, tokens)
    return result?.record.status === 'delivering' ? open(result.record) : undefined
  }

  /** The client has them: they need not be kept. */
  async function handedOver(record: RequestRecord): Promise<void> {
    await store.move(record.id, {
      from: 'delivering',
      to: 'delivered',
      changes: { sealedDelivery: '' },
      now: inTime(record),
    })
  }

  /** The client will not get them: they are revoked, and what is kept of them is erased. */
  async function drop(record: RequestRecord): Promise<void> {
    const current = await store.find(record.id)
    if (current?.status !== 'delivering') return
    await revokeTokens(current, open(current))
    await store.move(record.id, {
      from: 'delivering',
      to: 'approved',
      changes: { sealedDelivery: '' },
      now: inTime(record),
    })
  }

  function open({ id, sealedDelivery = '' }: RequestRecord): PushedTokens {
    return JSON.parse(vault.open(sealedDelivery, contextOf('delivery', id)))
  }

  /** The last try may end after the request does; what follows from it still belongs to the request. */
  function inTime(record: RequestRecord): number {
    return Math.min(clock(), record.expiresAt - 1)
  }

  /** Resolves when nobody here is making the tokens of this request. */
  async function settled(id: string): Promise<void> {
    await underWay.get(id)?.catch(() => {})
  }

  return { take, settled, handedOver, drop }
}
