import { z } from 'zod'
import { BackchannelError } from '../../core/errors.ts'
import { present } from '../../core/omitUndefined.ts'
import type { TokenWishes } from '../../core/request.ts'
import { idTokenClaims, idTokenHeader } from '../authorization/reserved.ts'
import type { Decision } from './complete.ts'
import type { Completion } from './completionRequest.ts'
import { duration, explain, objectWithout, positive, tokenMembers, tokenWishesIn, word } from './tokenOverrides.ts'

const words = z.array(word, 'must be an array of strings')
const ascii = /^[\x20-\x7E]{1,255}$/

const schema = z.strictObject({
  authReqId: z.string('must be a string').optional(),
  ticket: z.string('must be a string').optional(),
  result: z.enum(
    ['AUTHORIZED', 'ACCESS_DENIED', 'TRANSACTION_FAILED'],
    'must be AUTHORIZED, ACCESS_DENIED or TRANSACTION_FAILED',
  ),
  subject: word.optional(),
  sub: z.string('must be a string').regex(ascii, 'must be 1 to 255 ASCII characters').optional(),
  authTime: z.int('must be epoch seconds').max(99_999_999_999, 'must be epoch seconds, not milliseconds').optional(),
  acr: word.optional(),
  amr: words.optional(),
  claims: objectWithout(idTokenClaims).optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must hold scope values'), 'must be an array of strings')
    .refine((all) => all.includes('openid'), 'must keep "openid"')
    .optional(),
  authorizationDetails: z.array(z.looseObject({ type: word }), 'must be an array of objects with a type').optional(),
  resources: words.optional(),
  idtHeaderParams: objectWithout(idTokenHeader).optional(),
  ...tokenMembers,
  consentedClaims: words.optional(),
  idTokenDuration: duration,
  idTokenAudType: z.enum(['array', 'string'], 'must be "array" or "string"').optional(),
  errorDescription: z
    .string('must be a string')
    .regex(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/, 'must be printable ASCII without quotation mark and backslash')
    .optional(),
  errorUri: z
    .string('must be a string')
    .regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must be a URI')
    .optional(),
  reason: word.optional(),
})

type Checked = z.output<typeof schema>

// The documented type and the check are compared here: a member that only one of them knows does not compile.
type Member<T> = T extends unknown ? keyof T : never
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const same: Same<Member<Completion>, keyof Checked> = true
void same

/** A completion that was read: which request it is about, and what it says. */
export interface ReadCompletion {
  readonly kind: 'authReqId' | 'ticket'
  readonly handle: string
  readonly decision: Decision
}

/** @throws BackchannelError `invalid_request` that names the member. */
export function readCompletion(value: unknown): ReadCompletion {
  const result = schema.safeParse(value)
  if (!result.success) throw invalid(explain(result.error.issues[0]))
  const checked = result.data
  const { authReqId, ticket } = checked
  if ((authReqId === undefined) === (ticket === undefined)) throw invalid('needs either authReqId or ticket')
  return {
    kind: authReqId === undefined ? 'ticket' : 'authReqId',
    handle: authReqId ?? ticket ?? '',
    decision: checked.result === 'AUTHORIZED' ? approvalIn(checked) : refusalIn(checked),
  }
}

function approvalIn(checked: Checked): Decision {
  const { subject, authTime, acr, amr, scopes, authorizationDetails, resources, accessToken } = checked
  if (subject === undefined) throw invalid('subject is missing: say who agreed')
  return present({
    result: 'approved' as const,
    sub: subject,
    authTime: positive(authTime),
    acr,
    amr,
    scope: scopes,
    authorizationDetails,
    resources,
    accessToken,
    tokens: wishesIn(checked),
  })
}

function wishesIn(checked: Checked): TokenWishes | undefined {
  const { sub, claims, idtHeaderParams, idTokenAudType, consentedClaims } = checked
  const wishes: TokenWishes = present({
    idTokenSub: sub,
    claims,
    idTokenHeader: idtHeaderParams,
    idTokenAudType,
    consentedClaims,
    ...tokenWishesIn(checked),
    idTokenSeconds: positive(checked.idTokenDuration),
  })
  return Object.keys(wishes).length === 0 ? undefined : wishes
}

function refusalIn({ result, subject, errorDescription, errorUri, reason }: Checked): Decision {
  const denied = result === 'ACCESS_DENIED'
  return present({
    result: denied ? ('denied' as const) : ('failed' as const),
    by: denied ? subject : undefined,
    reason,
    errorDescription,
    errorUri,
  })
}

function invalid(what: string): BackchannelError {
  return new BackchannelError('invalid_request', `The completion: ${what}`)
}
