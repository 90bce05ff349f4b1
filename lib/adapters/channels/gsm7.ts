// The alphabet of SMS (3GPP TS 23.038 6.2.1): the basic characters, and those that take an escape
const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const extended = '\f^{}\\[~]|€'
const alphabet = new Set(basic + extended)

/** Typographic signs and what the alphabet has in their place. */
const plainSignOf: Readonly<Record<string, string>> = {
  '\u00A0': ' ',
  '\u202F': ' ',
  '\u2009': ' ',
  '\u2018': "'",
  '\u2019': "'",
  '\u201A': "'",
  '\u201C': '"',
  '\u201D': '"',
  '\u201E': '"',
  '«': '"',
  '»': '"',
  '\u2010': '-',
  '\u2011': '-',
  '\u2013': '-',
  '\u2014': '-',
  '\u2026': '...',
  '\t': ' ',
}

/** Does the alphabet have every character of the text? */
function fits(text: string): boolean {
  return [...text].every((character) => alphabet.has(character))
}

/**
 * The text with plain signs in place of typographic ones, where that makes it fit the alphabet; any other text stays as
 * it is. One curly quote may make three SMS of one.
 */
export function plainSigns(text: string): string {
  if (fits(text)) return text
  const replaced = text.replace(/[\t\u00A0\u00AB\u00BB\u2009-\u202F]/g, (each) => plainSignOf[each] ?? each)
  return fits(replaced) ? replaced : text
}
