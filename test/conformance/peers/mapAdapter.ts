import type { AdapterPayload } from 'oidc-provider'

/**
 * Storage of oidc-provider in a plain map, so that no limit of its default one gets in the way. It hands out copies, as a
 * database would: the library freezes parts of what it is given.
 */
export class MapAdapter {
  static readonly #all = new Map<string, AdapterPayload>()
  readonly #model: string

  constructor(model: string) {
    this.#model = model
  }

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    MapAdapter.#all.set(this.#key(id), structuredClone(payload))
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return structuredClone(MapAdapter.#all.get(this.#key(id)))
  }

  async consume(id: string): Promise<void> {
    const payload = MapAdapter.#all.get(this.#key(id))
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id: string): Promise<void> {
    MapAdapter.#all.delete(this.#key(id))
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, { grantId: of }] of MapAdapter.#all) if (of === grantId) MapAdapter.#all.delete(key)
  }

  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}

  #key(id: string): string {
    return `${this.#model}:${id}`
  }
}
