/** Waits for something that happens in its own time. */
export async function until(condition: () => unknown): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`never happened: ${condition}`)
}
