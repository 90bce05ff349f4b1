/** The first wanted language that there are sentences for: its tag, and the key of the sentences. Else English. */
export function chooseLanguage(
  available: ReadonlyMap<string, unknown>,
  wanted: readonly (string | undefined)[],
): { readonly locale: string; readonly key: string } {
  for (const tag of wanted) {
    const locale = canonicalTag(tag)
    if (locale === undefined) continue
    const lower = locale.toLowerCase()
    for (let key = lower; key !== ''; key = key.slice(0, Math.max(0, key.lastIndexOf('-')))) {
      if (available.has(key)) return { locale, key }
    }
  }
  return { locale: 'en', key: 'en' }
}

/** Language tags of an `Accept-Language` header, best first (RFC 9110 12.5.4). */
export function acceptedLanguages(header: string | undefined): readonly string[] {
  if (header === undefined || header.length > 1000) return []
  return header
    .split(',')
    .map((each) => {
      const [tag = '', quality] = each.split(';')
      return { tag: tag.trim(), quality: Number(/^\s*q=([\d.]+)\s*$/i.exec(quality ?? 'q=1')?.[1] ?? 0) }
    })
    .filter(({ tag, quality }) => quality > 0 && tag !== '*')
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag)
}

const rightToLeft = new Set(['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'ks', 'ps', 'sd', 'ug', 'ur', 'yi'])

/** Direction of a language's script. */
export function directionOf(locale: string): 'ltr' | 'rtl' {
  return rightToLeft.has(languageOf(locale.toLowerCase())) ? 'rtl' : 'ltr'
}

/** The language of a tag, without region and script. */
export function languageOf(tag: string): string {
  return tag.split('-')[0] ?? tag
}

/** The canonical form of a language tag. Text that is no language tag is English. */
export function languageTag(locale: string): string {
  return canonicalTag(locale) ?? 'en'
}

/** Hosts write `en_US` too; `undefined` for text that is no language tag. */
function canonicalTag(tag: string | undefined): string | undefined {
  if (tag === undefined || tag.length > 35) return undefined
  try {
    return Intl.getCanonicalLocales(tag.replaceAll('_', '-'))[0]
  } catch {
    return undefined
  }
}
