import type { BackchannelStore } from '../contracts/store.ts'
import { answerCases } from './cases/answers.ts'
import type { Cases, Tools } from './cases/case.ts'
import { grantCases } from './cases/grants.ts'
import { moveCases } from './cases/moves.ts'
import { openRequestCases } from './cases/openRequests.ts'
import { outageCases } from './cases/outages.ts'
import { pollCases } from './cases/polls.ts'
import { recordCases } from './cases/records.ts'
import { replayCases } from './cases/replay.ts'

/** One promise of the contract, to be run by any test runner: `it(name, run)`. */
export interface ContractCase {
  readonly name: string
  run(): Promise<void>
}

/** How the cases get at your store. */
export interface ContractOptions {
  /** An empty store, or one that shares a backend with the others: every case uses records of its own. */
  open(): Promise<BackchannelStore> | BackchannelStore
  /**
   * Makes the backend unreachable, and reachable again with what it held, to see that an outage is never read as "not
   * found". Defaults to none: those cases are left out.
   */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> }
  /** How many callers race. Defaults to 50. */
  readonly racers?: number
}

/**
 * Everything that `BackchannelStore` promises, as cases. Run them against your own adapter.
 * @throws TypeError without `open`.
 * @example
 * ```ts
 * import { storeContract } from 'express-ciba/testing'
 *
 * describe('my store', () => {
 *   for (const { name, run } of storeContract({ open: () => myStore() })) it(name, run)
 * })
 * ```
 */
export function storeContract(options: ContractOptions): readonly ContractCase[] {
  if (typeof options?.open !== 'function') {
    throw new TypeError('express-ciba: storeContract needs your store: storeContract({ open: () => myStore() })')
  }
  const { open, outage, racers = 50 } = options
  const tools: Omit<Tools, 'store'> = {
    open: async () => open(),
    race: (step) => Promise.all(Array.from({ length: racers }, (_, n) => step(n))),
  }
  const cases: Cases = {
    ...recordCases,
    ...pollCases,
    ...answerCases,
    ...moveCases,
    ...replayCases,
    ...openRequestCases,
    ...grantCases,
    ...(outage === undefined ? {} : outageCases(outage)),
  }
  return Object.entries(cases).map(([name, run]) => ({ name, run: () => withStore(tools, run) }))
}

/** Runs a case on a store of its own. */
async function withStore(tools: Omit<Tools, 'store'>, run: (tools: Tools) => Promise<void>): Promise<void> {
  const store = await tools.open()
  try {
    await run({ ...tools, store })
  } finally {
    await store.close?.()
  }
}
