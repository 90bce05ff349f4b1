/** Things by their time, the earliest at hand: a binary heap. */
export function createHeap<T extends { readonly at: number }>() {
  const items: T[] = []
  const at = (index: number): number => items[index]?.at ?? Number.POSITIVE_INFINITY

  function swap(a: number, b: number): void {
    ;[items[a], items[b]] = [items[b] as T, items[a] as T]
  }

  return {
    first: (): T | undefined => items[0],

    add(item: T): void {
      let index = items.push(item) - 1
      while (index > 0) {
        const parent = (index - 1) >> 1
        if (at(parent) <= item.at) return
        swap(index, parent)
        index = parent
      }
    },

    take(): T | undefined {
      const [first] = items
      const last = items.pop()
      if (items.length === 0 || last === undefined) return first
      items[0] = last
      for (let index = 0; ; ) {
        const left = 2 * index + 1
        const smaller = at(left + 1) < at(left) ? left + 1 : left
        if (at(smaller) >= last.at) return first
        swap(index, smaller)
        index = smaller
      }
    },
  }
}
