/**
 * Calls a hook of the host's whose answer nobody waits for. It may be an async function all the same: a rejection that nobody
 * heard would end the process.
 */
export function aside(hook: () => unknown, failed: (thrown: unknown) => void): void {
  try {
    const result = hook()
    if (result instanceof Promise) result.catch(failed)
  } catch (thrown) {
    failed(thrown)
  }
}
