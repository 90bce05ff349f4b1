import type { Line, Listener } from '../../contracts/contracts.ts'

/** Opens the one connection that everybody who listens on a store shares. It tells of requests by `heard`, and of itself. */
export type OpenLine = (listener: Listener) => Line

/** Shares a line: it is opened for the first who listens and closed after the last. */
export function shareLine(open: OpenLine): OpenLine {
  const listeners = new Set<Listener>()
  let line: Line | undefined
  let isUp = false

  const all: Listener = {
    heard: (request) => listeners.forEach((each) => void each.heard(request)),
    up() {
      isUp = true
      listeners.forEach((each) => void each.up())
    },
    down() {
      isUp = false
      listeners.forEach((each) => void each.down())
    },
  }

  return (listener) => {
    listeners.add(listener)
    line ??= open(all)
    if (isUp) listener.up()
    const shared = line
    return {
      tell: (request) => shared.tell(request),
      async close() {
        listeners.delete(listener)
        if (listeners.size > 0 || line !== shared) return
        line = undefined
        isUp = false
        await shared.close()
      },
    }
  }
}
