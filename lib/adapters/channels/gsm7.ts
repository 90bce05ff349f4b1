// 3GPP TS 23.038 6.2.1: the basic alphabet, and the characters behind an escape that count twice
const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const extended = '\f^{}\\[~]|€'
const basicSet = new Set(basic)
const extendedSet = new Set(extended)

/** Typographic signs and what a phone's alphabet has for them. */
const plain: Readonly<Record<string, string>> = {
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

/** Septets a text needs, or `undefined` when the alphabet lacks one of its characters. */
function septetsOf(text: string): number | undefined {
  let septets = 0
  for (const character of text) {
    if (basicSet.has(character)) septets += 1
    else if (extendedSet.has(character)) septets += 2
    else return undefined
  }
  return septets
}

/** How many SMS a text is sent in: 160 septets or 70 UTF-16 units alone, 153 or 67 in each of several. */
export function segmentsOf(text: string): number {
  const septets = septetsOf(text)
  if (septets === undefined) return text.length <= 70 ? 1 : Math.ceil(text.length / 67)
  return septets <= 160 ? 1 : Math.ceil(septets / 153)
}

/**
 * One curly quote would make a text three times as long. Typographic signs become plain ones where that is all it
 * takes to fit the phone's alphabet; any other text stays as it is.
 */
export function plainSigns(text: string): string {
  if (septetsOf(text) !== undefined) return text
  const replaced = text.replace(/[\t\u00A0\u00AB\u00BB\u2009-\u202F]/g, (each) => plain[each] ?? each)
  return septetsOf(replaced) === undefined ? text : replaced
}
