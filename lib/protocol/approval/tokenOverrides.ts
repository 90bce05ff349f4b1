import { z } from 'zod'
import type { CallWants } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import { isObject, parseJson } from '../../core/json.ts'
import { present } from '../../core/omitUndefined.ts'
import type { TokenWishes } from '../../core/request.ts'
import { accessTokenClaims, tokenResponse } from '../authorization/reserved.ts'

/** Characters that all properties may have together. */
const propertyRoom = 16_384

export const duration = z.int('must be a whole number of seconds').optional()
export const word = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .max(255, 'must have 255 characters at most')

/** What a completion, and each call for its tokens, may ask of them. */
export const tokenMembers = {
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
  jwtAtClaims: objectWithout(accessTokenClaims).optional(),
  accessToken: z
    .string('must be a string')
    .regex(/^[A-Za-z0-9\-._~+/]{32,4096}=*$/, 'must be at least 32 characters of bearer token syntax')
    .optional(),
  accessTokenDuration: duration,
  refreshTokenDuration: duration,
}

const schema = z.strictObject(tokenMembers)

/** The wishes among members that were checked. */
export function tokenWishesIn(checked: z.output<typeof schema>): TokenWishes {
  return present({
    accessTokenClaims: checked.jwtAtClaims,
    properties: checked.properties?.map(present),
    accessTokenSeconds: positive(checked.accessTokenDuration),
    refreshTokenSeconds: positive(checked.refreshTokenDuration),
  })
}

/**
 * Reads what a trusted backend asks of the tokens of one call.
 * @throws BackchannelError `invalid_request` that names the member.
 */
export function readTokenMembers(value: unknown): Pick<CallWants, 'tokens' | 'accessToken'> {
  const result = schema.safeParse(value)
  if (!result.success) {
    throw new BackchannelError('invalid_request', `The token call: ${explain(result.error.issues[0])}`)
  }
  const tokens = tokenWishesIn(result.data)
  return present({
    accessToken: result.data.accessToken,
    tokens: Object.keys(tokens).length === 0 ? undefined : tokens,
  })
}

/** A JSON object, or its text, without any of these members. */
export function objectWithout(names: ReadonlySet<string>) {
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

export function positive(seconds: number | undefined): number | undefined {
  return seconds !== undefined && seconds > 0 ? seconds : undefined
}

export function explain(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is not valid'
  if (issue.code === 'unrecognized_keys') return `has an unknown member ${issue.keys.join(', ')}`
  const name = issue.path.join('.')
  return name === '' ? 'must be an object' : `${name} ${issue.message}`
}
