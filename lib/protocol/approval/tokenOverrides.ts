import { z } from 'zod'
import type { TokenChanges } from '../../contracts/approval.ts'
import type { TokenOverrides } from '../../contracts/request.ts'
import { isObject, omitUndefined, parseJson } from '../../core/json.ts'
import { accessTokenClaims, idTokenClaims, idTokenHeader, tokenResponse } from '../authorization/claims.ts'

/** The most characters that all properties may have together. */
const maxPropertyCharacters = 16_384

/** A short text: 1 to 255 characters. */
export const word = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .max(255, 'must have 255 characters at most')

export const words = z.array(word, 'must be an array of strings')

const seconds = z.int('must be a whole number of seconds').optional()

/** Extra members of the token response. */
const properties = z
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
    (all) => JSON.stringify(all).length <= maxPropertyCharacters,
    `must have ${maxPropertyCharacters} characters at most, all together`,
  )

/**
 * What an approval may change of the tokens to come, member by member. Another schema can have the members under other
 * names: a message says what is wrong, and not with which member.
 */
export const tokenOverrideShape = {
  idTokenSub: z
    .string('must be a string')
    .regex(/^[\x20-\x7E]{1,255}$/, 'must be 1 to 255 ASCII characters')
    .optional(),
  claims: objectWithout(idTokenClaims).optional(),
  idTokenHeader: objectWithout(idTokenHeader).optional(),
  idTokenAudType: z.enum(['array', 'string'], 'must be "array" or "string"').optional(),
  consentedClaims: words.optional(),
  accessTokenClaims: objectWithout(accessTokenClaims).optional(),
  properties: properties.optional(),
  accessToken: z
    .string('must be a string')
    .regex(/^[A-Za-z0-9\-._~+/]{32,4096}=*$/, 'must be at least 32 characters of bearer token syntax')
    .optional(),
  accessTokenSeconds: seconds,
  refreshTokenSeconds: seconds,
  idTokenSeconds: seconds,
} satisfies { [K in keyof Required<TokenChanges>]: z.ZodType }

/** Members that were checked by `tokenOverrideShape`. */
export type CheckedOverrides = { [K in keyof TokenChanges]?: z.output<(typeof tokenOverrideShape)[K]> }

/**
 * The overrides among checked members, without the access token, which is sealed or handed out. Seconds count only when
 * they are positive. `undefined` when nothing is left.
 */
export function readTokenOverrides(checked: CheckedOverrides): TokenOverrides | undefined {
  const overrides: TokenOverrides = omitUndefined({
    idTokenSub: checked.idTokenSub,
    claims: checked.claims,
    idTokenHeader: checked.idTokenHeader,
    idTokenAudType: checked.idTokenAudType,
    consentedClaims: checked.consentedClaims,
    accessTokenClaims: checked.accessTokenClaims,
    properties: checked.properties?.map((each) => omitUndefined(each)),
    accessTokenSeconds: positive(checked.accessTokenSeconds),
    refreshTokenSeconds: positive(checked.refreshTokenSeconds),
    idTokenSeconds: positive(checked.idTokenSeconds),
  })
  return Object.keys(overrides).length === 0 ? undefined : overrides
}

/** The number, when there is one and it is above 0. */
export function positive(number: number | undefined): number | undefined {
  return number !== undefined && number > 0 ? number : undefined
}

/** A JSON object, or its text, without any of these members. */
function objectWithout(names: ReadonlySet<string>) {
  return z.unknown().transform((value, context): Readonly<Record<string, unknown>> => {
    const fail = (message: string) => {
      context.addIssue(message)
      return z.NEVER
    }
    try {
      // parsed again, so that what is checked is what will be stored
      const object = parseJson(typeof value === 'string' ? value : JSON.stringify(value ?? null))
      if (!isObject(object)) return fail('must be a JSON object')
      const own = Object.keys(object).find((name) => names.has(name))
      return own === undefined ? object : fail(`must not set "${own}"`)
    } catch (thrown) {
      return fail(thrown instanceof TypeError ? `must be a JSON object: it ${thrown.message}` : 'must be a JSON object')
    }
  })
}
