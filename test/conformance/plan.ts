import { clientChecks } from './modules/clients.ts'
import { pings } from './modules/ping.ts'
import { refresh } from './modules/refresh.ts'
import { refusedRequests } from './modules/refused.ts'
import { wellBehaved } from './modules/wellBehaved.ts'
import type { Module } from './trial.ts'

/** All modules of the plan `fapi-ciba-id1-test-plan` for the profile `plain_fapi`. */
export const allModules: readonly Module[] = [
  ...wellBehaved,
  ...refusedRequests,
  ...clientChecks,
  ...pings,
  ...refresh,
].toSorted((a, b) => a.id.localeCompare(b.id))

/** The ones that apply to a variant. */
export function modulesFor(auth: string, mode: string): readonly Module[] {
  return allModules.filter(({ only }) => only === undefined || only === auth || only === mode)
}
