// 3GPP TS 23.038 6.2.1: the basic alphabet, and the characters behind an escape that count twice
const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
const extended = '\f^{}\\[~]|€'
const basicSet = new Set(basic)
const extendedSet = new Set(extended)

/** How many SMS a text is sent in: 160 septets or 70 UTF-16 units alone, 153 or 67 in each of several. */
export function segmentsOf(text: string): number {
  const septets = septetsOf(text)
  if (septets === undefined) return text.length <= 70 ? 1 : Math.ceil(text.length / 67)
  return septets <= 160 ? 1 : Math.ceil(septets / 153)
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
