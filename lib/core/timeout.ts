/**
 * Does each of `granted` fit into one of `asked`, and no two of them into the same? A payment that was approved once is not
 * granted twice. Pairs them off by augmenting paths, so that the order of either list makes no difference.
 */
export function eachWithinItsOwn<T>(
  granted: readonly T[],
  asked: readonly T[],
  isWithin: (granted: T, asked: T) => boolean,
): boolean {
  const takenBy = new Map<number, T>()

  function place(one: T, tried: Set<number>): boolean {
    return asked.some((each, index) => {
      if (tried.has(index) || !isWithin(one, each)) return false
      tried.add(index)
      const holder = takenBy.get(index)
      if (holder !== undefined && !place(holder, tried)) return false
      takenBy.set(index, one)
      return true
    })
  }

  return granted.length <= asked.length && granted.every((one) => place(one, new Set()))
}
