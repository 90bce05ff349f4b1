import type { BackchannelStore } from '../../contracts/store.ts'

/** What a case works with. */
export interface Tools {
  readonly store: BackchannelStore
  /** One more store on the same backend. */
  open(): Promise<BackchannelStore>
  /** Runs a step many times at once. */
  race<T>(step: (n: number) => Promise<T>): Promise<T[]>
}

/** Promises of the contract by their sentence. */
export type Cases = Readonly<Record<string, (tools: Tools) => Promise<void>>>
