/** Runs a step `count` times, `atOnce` at a time. */
export async function each<T>(count: number, atOnce: number, step: (n: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count)
  let next = 0
  const worker = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await step(n)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
