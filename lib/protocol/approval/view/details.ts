import type { DetailCard, DetailWords } from '../../../contracts/page.ts'
import type { AuthorizationDetail } from '../../../contracts/request.ts'

/** The card of a detail: in the host's words for its type, else every member as it is, so that nothing stays hidden. */
export function cardOf(
  detail: AuthorizationDetail,
  locale: string,
  words: Readonly<Record<string, DetailWords>>,
): DetailCard {
  const own = Object.hasOwn(words, detail.type) ? words[detail.type] : undefined
  if (own !== undefined) return own({ detail, locale })
  const { type, ...members } = detail
  return { title: spaced(type), rows: rowsOf(members, '') }
}

function rowsOf(value: unknown, label: string): (readonly [string, string])[] {
  if (Array.isArray(value)) {
    if (value.every((each) => !isNested(each))) return [[label, value.map(String).join(', ')]]
    return value.flatMap((each, index) => rowsOf(each, `${label} ${index + 1}`))
  }
  if (!isNested(value)) return [[label, String(value)]]
  return Object.entries(value).flatMap(([name, each]) =>
    rowsOf(each, label === '' ? spaced(name) : `${label}, ${spaced(name)}`),
  )
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** `instructedAmount`, `payment_initiation` → "instructed amount", "payment initiation". URLs stay as they are. */
function spaced(name: string): string {
  if (/[:/]/.test(name)) return name
  return name
    .replace(/([a-z\d])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replace(/[_-]+/g, ' ')
}
