import { SignJWT } from 'jose'
import type { SigningKey } from './keys.ts'

/** Signs claims. `kid` is always there, whatever else the header says. */
export async function signJwt(
  key: SigningKey,
  typ: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ ...header, alg: key.alg, kid: key.kid, typ })
    .sign(await key.key())
}
