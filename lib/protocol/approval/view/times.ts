/** Tells times in a language. The visitor's own zone is unknown without scripts, so "2 minutes ago" comes first. */
export interface Times {
  /** From `now` to `then`: "2 minutes ago", "in 8 minutes". */
  relative(then: number, now: number, locale: string): string
  /** The clock time with its zone: "2:05 PM UTC"; with the day when it is long ago. */
  clock(then: number, now: number, locale: string): string
}

const day = 24 * 3600_000
const units = [
  ['day', day],
  ['hour', 3600_000],
  ['minute', 60_000],
] as const

/** @throws RangeError for an unknown time zone. */
export function createTimes(timeZone: string): Times {
  const clock = { hour: 'numeric', minute: '2-digit', timeZone, timeZoneName: 'short' } as const
  // the first formatter of a process takes long; what is known to be right need not be tried at start
  if (timeZone !== 'UTC') new Intl.DateTimeFormat('en', clock)
  const relatives = remember((locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
  const clocks = remember((locale) => new Intl.DateTimeFormat(locale, clock))
  const dates = remember((locale) => new Intl.DateTimeFormat(locale, { ...clock, month: 'short', day: 'numeric' }))

  return {
    relative(then, now, locale) {
      const distance = then - now
      for (const [unit, length] of units) {
        if (Math.abs(distance) >= length) return relatives(locale).format(Math.trunc(distance / length), unit)
      }
      // "now" for what was, the seconds left for what comes
      return relatives(locale).format(distance > 0 ? Math.ceil(distance / 1000) : 0, 'second')
    },
    clock: (then, now, locale) => (now - then > day / 2 ? dates : clocks)(locale).format(then),
  }
}

/** Formatters are costly to make. Languages come from visitors, so their number is bounded. */
function remember<T>(make: (locale: string) => T): (locale: string) => T {
  const made = new Map<string, T>()
  return (locale) => {
    const known = made.get(locale)
    if (known !== undefined) return known
    if (made.size >= 100) made.clear()
    const fresh = make(locale)
    made.set(locale, fresh)
    return fresh
  }
}
