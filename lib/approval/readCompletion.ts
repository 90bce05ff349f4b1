import { z } from 'zod'
import { BackchannelError } from '../errors.ts'
import { isObject, parseJson } from '../json.ts'
import { present } from '../present.ts'
import type { TokenWishes } from '../record.ts'
import { accessTokenClaims, idTokenClaims, idTokenHeader, tokenResponse } from '../reserved.ts'
import type { Decision } from './complete.ts'
import type { Completion } from './completionRequest.ts'

/** Characters that all properties may have together. */
const propertyRoom = 16_384

const duration = z.int('must be a whole number of seconds').optional()
const word = z.string('must be a string').min(1, 'must not be empty').max(255, 'must have 255 characters at most')
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
  properties: z
    .array(
      z.strictObject({
        key: word,
        value: z.string('must be a string'),
        hidden: z.boolean('must be true or false').optional(),
      }),
      'must be an array of {key, value, hidden}',
    )
    .refine(
      (all) => all.every(({ key, hidden }) => hidden || !tokenResponse.has(key)),
      'must not replace a member of token responses',
    )
    .refine((all) => new Set(all.map(({ key }) => key)).size === all.length, 'must not name a key twice')
    .refine(
      (all) => JSON.stringify(all).length <= propertyRoom,
      `must have ${propertyRoom} characters at most, all together`,
    )
    .optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must hold scope values'), 'must be an array of strings')
    .refine((all) => all.includes('openid'), 'must keep "openid"')
    .optional(),
  authorizationDetails: z.array(z.looseObject({ type: word }), 'must be an array of objects with a type').optional(),
  resources: words.optional(),
  idtHeaderParams: objectWithout(idTokenHeader).optional(),
  consentedClaims: words.optional(),
  jwtAtClaims: objectWithout(accessTokenClaims).optional(),
  accessToken: z
    .string('must be a string')
    .regex(/^[A-Za-z0-9\-._~+/]{32,4096}=*$/, 'must be at least 32 characters of bearer token syntax')
    .optional(),
  accessTokenDuration: duration,
  refreshTokenDuration: duration,
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
  const { sub, claims, idtHeaderParams, idTokenAudType, consentedClaims, jwtAtClaims, properties } = checked
  const wishes: TokenWishes = present({
    idTokenSub: sub,
    claims,
    idTokenHeader: idtHeaderParams,
    idTokenAudType,
    consentedClaims,
    accessTokenClaims: jwtAtClaims,
    properties: properties?.map(present),
    accessTokenSeconds: positive(checked.accessTokenDuration),
    refreshTokenSeconds: positive(checked.refreshTokenDuration),
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

/** A JSON object, or its text, without any of these members. */
function objectWithout(names: ReadonlySet<string>) {
  return z.unknown().transform((value, context): Readonly<Record<string, unknown>> => {
    const fail = (message: string) => {
      context.addIssue(message)
      return z.NEVER
    }
    try {
      // read anew, so that what is checked is what will be stored
      const object = parseJson(typeof value === 'string' ? value : JSON.stringify(value ?? null))
      if (!isObject(object)) return fail('must be a JSON object')
      const own = Object.keys(object).find((name) => names.has(name))
      return own === undefined ? object : fail(`must not set "${own}"`)
    } catch (thrown) {
      return fail(thrown instanceof TypeError ? `must be a JSON object: it ${thrown.message}` : 'must be a JSON object')
    }
  })
}

function positive(seconds: number | undefined): number | undefined {
  return seconds !== undefined && seconds > 0 ? seconds : undefined
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is not valid'
  if (issue.code === 'unrecognized_keys') return `has an unknown member ${issue.keys.join(', ')}`
  const name = issue.path.join('.')
  return name === '' ? 'must be an object' : `${name} ${issue.message}`
}

function invalid(what: string): BackchannelError {
  return new BackchannelError('invalid_request', `The completion: ${what}`)
}
