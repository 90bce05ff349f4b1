import type { AuthorizationDetail } from '../../../core/request.ts'

/** One element of `authorization_details`, in words. */
export interface DetailCard {
  readonly title: string
  readonly rows: readonly (readonly [label: string, value: string])[]
}

/** Puts one type of authorization details into words. What it leaves out, the user does not see and still approves. */
export type DetailWords = (detail: AuthorizationDetail, locale: string) => DetailCard

/** The card of a detail: in the host's words for its type, else every member as it is, so that nothing stays hidden. */
export function cardOf(
  detail: AuthorizationDetail,
  locale: string,
  words: Readonly<Record<string, DetailWords>> = {},
): DetailCard {
  const own = Object.hasOwn(words, detail.type) ? words[detail.type] : undefined
  if (own !== undefined) return own(detail, locale)
  const { type, ...members } = detail
  return { title: spaced(type), rows: rowsOf(members, '') }
}

function rowsOf(value: unknown, label: string): (readonly [string, string])[] {
  if (Array.isArray(value)) {
    if (value.every((each) => !isNested(each))) return [[label, value.map(String).join(', ')]]
    return value.flatMap((each, index) => rowsOf(each, `${label} ${index + 1}`))
  }
  if (!isNested(value)) return [[label, String(value)]]
  return Object.entries(value as object).flatMap(([name, each]) =>
    rowsOf(each, label === '' ? spaced(name) : `${label}, ${spaced(name)}`),
  )
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** `instructedAmount`, `payment_initiation` → "instructed amount", "payment initiation". URLs stay as they are. */
function spaced(name: string): string {
  if (/[:/]/.test(name)) return name
  return name
    .replace(/([a-z\d])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replace(/[_-]+/g, ' ')
}
