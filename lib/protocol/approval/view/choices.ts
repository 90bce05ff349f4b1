import { hkdfSync } from 'node:crypto'

const alphabets = [
  [/\d/, '0123456789'],
  [/[A-Z]/, 'ABCDEFGHJKLMNPQRSTUVWXYZ'],
  [/[a-z]/, 'abcdefghijkmnpqrstuvwxyz'],
] as const

/**
 * The binding message among two that look like it: words with a digit get other digits and letters. None for a message
 * without digits, because nobody can say what would have to differ. The same seed gives the same choices in the same
 * order, so that loading the page again tells nothing.
 *
 * @param seed Random, secret, of this request.
 */
export function choicesOf(message: string, seed: string): readonly string[] | undefined {
  if (!/\d/.test(message)) return undefined
  const random = numbersFrom(seed)
  const decoys = new Set<string>()
  for (let tries = 0; decoys.size < 2 && tries < 20; tries++) {
    const decoy = message.replace(/\S*\d\S*/g, (word) => word.replace(/[A-Za-z\d]/g, (each) => another(each, random)))
    if (decoy !== message) decoys.add(decoy)
  }
  return decoys.size < 2 ? undefined : [...decoys].toSpliced(random(3), 0, message)
}

function another(character: string, random: (below: number) => number): string {
  const alphabet = alphabets.find(([kind]) => kind.test(character))?.[1] ?? character
  return alphabet[random(alphabet.length)] ?? character
}

function numbersFrom(seed: string): (below: number) => number {
  const numbers = new Uint16Array(hkdfSync('sha256', seed, '', 'express-ciba choices', 8000))
  let next = 0
  return (below) => (numbers[next++ % numbers.length] ?? 0) % below
}
