import { z } from 'zod'
import { invalidRequest, issueText } from '../core/errors.ts'
import type { CallOverrides } from '../core/http/call.ts'
import { omitUndefined } from '../core/json.ts'
import { type CheckedOverrides, readTokenOverrides, tokenOverrideShape } from '../protocol/approval/tokenOverrides.ts'

/** What a completion, and each call for its tokens, may change of them, under Authlete's names. */
export const tokenMembers = {
  properties: tokenOverrideShape.properties,
  jwtAtClaims: tokenOverrideShape.accessTokenClaims,
  accessToken: tokenOverrideShape.accessToken,
  accessTokenDuration: tokenOverrideShape.accessTokenSeconds,
  refreshTokenDuration: tokenOverrideShape.refreshTokenSeconds,
}

const schema = z.object(tokenMembers)

/** The same under our names. */
export function renamed(checked: z.output<typeof schema>): CheckedOverrides {
  return {
    properties: checked.properties,
    accessTokenClaims: checked.jwtAtClaims,
    accessTokenSeconds: checked.accessTokenDuration,
    refreshTokenSeconds: checked.refreshTokenDuration,
  }
}

/**
 * Reads what the caller of `/auth/token` changes of the tokens of that call.
 * @throws BackchannelError `invalid_request` that names the member.
 */
export function readTokenMembers(value: unknown): Pick<CallOverrides, 'tokens' | 'accessToken'> {
  const result = schema.safeParse(value)
  if (!result.success) throw invalidRequest(`The token call: ${issueText(result.error.issues[0])}`)
  return omitUndefined({ tokens: readTokenOverrides(renamed(result.data)), accessToken: result.data.accessToken })
}
