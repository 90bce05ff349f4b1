import { z } from 'zod'
import { type BackchannelError, invalidRequest, issueText } from '../core/errors.ts'
import { omitUndefined } from '../core/json.ts'
import { grantShape, loginShape, refusalShape } from '../protocol/approval/completionInput.ts'
import type { Decision } from '../protocol/approval/decision.ts'
import { positive, readTokenOverrides, tokenOverrideShape, word } from '../protocol/approval/tokenOverrides.ts'
import { renamed, tokenMembers } from './tokenMembers.ts'

const schema = z.strictObject({
  result: z.enum(
    ['AUTHORIZED', 'ACCESS_DENIED', 'TRANSACTION_FAILED'],
    'must be AUTHORIZED, ACCESS_DENIED or TRANSACTION_FAILED',
  ),
  subject: word.optional(),
  sub: tokenOverrideShape.idTokenSub,
  authTime: loginShape.authTime,
  acr: loginShape.acr,
  claims: tokenOverrideShape.claims,
  scopes: grantShape.scope,
  idtHeaderParams: tokenOverrideShape.idTokenHeader,
  ...tokenMembers,
  consentedClaims: tokenOverrideShape.consentedClaims,
  idTokenAudType: tokenOverrideShape.idTokenAudType,
  errorDescription: refusalShape.errorDescription,
  errorUri: refusalShape.errorUri,
})

type Completion = z.output<typeof schema>

/**
 * Reads the decision in Authlete's words: `result` in capitals, seconds as durations. Numbers that are not positive count
 * as absent.
 * @throws BackchannelError `invalid_request` that names the member.
 */
export function readCompletion(value: unknown): Decision {
  const result = schema.safeParse(value)
  if (!result.success) throw invalid(issueText(result.error.issues[0]))
  return result.data.result === 'AUTHORIZED' ? approvalIn(result.data) : refusalIn(result.data)
}

function approvalIn(completion: Completion): Decision {
  const { subject, authTime, acr, scopes, accessToken } = completion
  if (subject === undefined) throw invalid('subject is missing: say who agreed')
  return omitUndefined({
    result: 'approved' as const,
    sub: subject,
    authTime: positive(authTime),
    acr,
    scope: scopes,
    accessToken,
    tokens: readTokenOverrides({
      ...renamed(completion),
      idTokenSub: completion.sub,
      claims: completion.claims,
      idTokenHeader: completion.idtHeaderParams,
      idTokenAudType: completion.idTokenAudType,
      consentedClaims: completion.consentedClaims,
    }),
  })
}

function refusalIn({ result, subject, errorDescription, errorUri }: Completion): Decision {
  if (result === 'TRANSACTION_FAILED') return omitUndefined({ result: 'failed' as const, errorDescription, errorUri })
  return omitUndefined({ result: 'denied' as const, by: subject, errorDescription, errorUri })
}

function invalid(what: string): BackchannelError {
  return invalidRequest(`The completion: ${what}`)
}
