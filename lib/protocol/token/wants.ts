import type { CallWants } from '../../contracts/contracts.ts'
import { present } from '../../core/omitUndefined.ts'
import type { TokenWishes } from '../../core/request.ts'
import type { Grant, GrantSource } from './grant.ts'

/** What the tokens of one call come from: the stored source, and what a trusted backend wants besides. */
export function wantedOf<Source extends GrantSource>(
  source: Source,
  wants: CallWants = {},
): { readonly source: Source; readonly extra: Pick<Grant, 'accessToken'> } {
  const { tokens, accessToken } = wants
  const extra = present({ accessToken })
  if (tokens === undefined) return { source, extra }
  const { approval } = source
  return { source: { ...source, approval: { ...approval, tokens: merged(approval.tokens, tokens) } }, extra }
}

/** Objects and properties grow together, everything else is replaced. */
function merged(stored: TokenWishes = {}, wanted: TokenWishes): TokenWishes {
  const { accessTokenClaims, properties, ...rest } = wanted
  const keys = new Set(properties?.map(({ key }) => key))
  return {
    ...stored,
    ...rest,
    ...(accessTokenClaims && { accessTokenClaims: { ...stored.accessTokenClaims, ...accessTokenClaims } }),
    ...(properties && {
      properties: [...(stored.properties ?? []).filter(({ key }) => !keys.has(key)), ...properties],
    }),
  }
}
