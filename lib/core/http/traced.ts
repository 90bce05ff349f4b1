import type { RequestHandler } from 'express'
import type { Step, Telemetry } from '../../contracts/contracts.ts'

/** A route's handler as telemetry sees it: what it hands to `next` as an error is how it ended. */
export function createWatched(telemetry: Telemetry | undefined) {
  return (step: Step, handler: RequestHandler): RequestHandler => {
    if (telemetry === undefined) return handler
    return async (req, res, next) => {
      let passed: readonly unknown[] | undefined
      const run = async () => {
        await handler(req, res, (...args: unknown[]) => {
          passed = args
        })
        if (passed?.[0] instanceof Error) throw passed[0]
      }
      try {
        await telemetry.step(step, run)
      } catch (thrown) {
        passed ??= [thrown]
      }
      if (passed !== undefined) next(...(passed as Parameters<typeof next>))
    }
  }
}
