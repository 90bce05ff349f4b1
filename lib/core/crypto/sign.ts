import { signText } from './signature.ts'
import type { SigningKey } from './signingKeys.ts'

/** Signs claims. `alg`, `kid` and `typ` are ours, whatever else the header says. */
export async function signJwt(
  { alg, kid, key }: SigningKey,
  typ: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const text = `${encode({ ...header, alg, kid, typ })}.${encode(claims)}`
  return `${text}.${await signText(text, key, alg)}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
