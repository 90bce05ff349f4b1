/** How long a run may live on after its last test, in milliseconds. */
const patience = 20_000

/** Mocha waits for whatever the tests left open. This says what it is, and ends the run with the result it has. */
export const mochaHooks = {
  afterAll() {
    setTimeout(() => {
      console.error(
        `Still open ${patience / 1000} s after the last test: ${process.getActiveResourcesInfo().join(', ')}`,
      )
      process.exit()
    }, patience).unref()
  },
}
