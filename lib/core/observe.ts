import type { Step, Telemetry } from '../contracts/telemetry.ts'

/**
 * Runs a step while telemetry watches. The result is the step's own, whatever telemetry does: when it throws or
 * rejects, `failed` is told; when it does not run the step at once, the step runs without it. The step runs once.
 */
export function observe<T>(
  telemetry: Pick<Telemetry, 'step'> | undefined,
  step: Step,
  run: () => Promise<T>,
  failed: (thrown: unknown) => void = () => {},
): Promise<T> {
  if (telemetry === undefined) return run()
  let running: Promise<T> | undefined
  const runOnce = (): Promise<T> => {
    running ??= run()
    return running
  }
  try {
    // a rejection is usually the step's own, which reaches the caller
    Promise.resolve(telemetry.step(step, runOnce)).catch((thrown) => {
      runOnce().then(
        () => failed(thrown),
        (own) => own !== thrown && failed(thrown),
      )
    })
  } catch (thrown) {
    failed(thrown)
  }
  return runOnce()
}
