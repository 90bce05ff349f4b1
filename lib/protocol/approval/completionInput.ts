import { z } from 'zod'
import type { ApproveInput, DenyInput, FailInput } from '../../contracts/approval.ts'
import { invalidRequest, issueText } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import type { Decision } from './decision.ts'
import { positive, readTokenOverrides, tokenOverrideShape, word, words } from './tokenOverrides.ts'

/** A decision that code of the host's own has made, and the name of the request that it is about. */
export interface Named {
  /** The `auth_req_id`, the handle of the link, or the public id. */
  readonly request: string
  readonly decision: Decision
}

const request = z.string('must be a string')

/** How an approval names the login that decided. Shared with the completions of the management API. */
export const loginShape = {
  authTime: z.int('must be epoch seconds').max(99_999_999_999, 'must be epoch seconds, not milliseconds').optional(),
  acr: word.optional(),
  amr: words.optional(),
}

/** What an approval may grant. Shared with the completions of the management API. */
export const grantShape = {
  scope: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must hold scope values'), 'must be an array of strings')
    .refine((all) => all.includes('openid'), 'must keep "openid"')
    .optional(),
  authorizationDetails: z.array(z.looseObject({ type: word }), 'must be an array of objects with a type').optional(),
  resources: words.optional(),
}

/** What a refusal says. Shared with the completions of the management API. */
export const refusalShape = {
  reason: word.optional(),
  errorDescription: z
    .string('must be a string')
    .regex(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/, 'must be printable ASCII without quotation mark and backslash')
    .optional(),
  errorUri: z
    .string('must be a string')
    .regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must be a URI')
    .optional(),
}

/** `by` may be all that the host knows of its user: other members of it are ignored. */
const approveSchema = z.strictObject({
  request,
  by: z.object({ sub: word, ...loginShape }, { error: whoAgreed }),
  ...grantShape,
  tokens: z.strictObject(tokenOverrideShape, 'must be an object').optional(),
} satisfies { [K in keyof Required<ApproveInput>]: z.ZodType })

const denySchema = z.strictObject({
  request,
  by: z.object({ sub: word }, 'must be an object').optional(),
  ...refusalShape,
} satisfies { [K in keyof Required<DenyInput>]: z.ZodType })

const failSchema = z.strictObject({
  request,
  ...refusalShape,
  reason: word,
} satisfies { [K in keyof Required<FailInput>]: z.ZodType })

/** @throws BackchannelError `invalid_request` that names the member. */
export function readApprove(input: ApproveInput): Named {
  const { request, by, scope, authorizationDetails, resources, tokens = {} } = read(approveSchema, input)
  const decision = omitUndefined({
    result: 'approved' as const,
    sub: by.sub,
    authTime: positive(by.authTime),
    acr: by.acr,
    amr: by.amr,
    scope,
    authorizationDetails,
    resources,
    accessToken: tokens.accessToken,
    tokens: readTokenOverrides(tokens),
  })
  return { request, decision }
}

/** @throws BackchannelError `invalid_request` that names the member. */
export function readDeny(input: DenyInput): Named {
  const { request, by, ...refusal } = read(denySchema, input)
  return { request, decision: omitUndefined({ result: 'denied' as const, by: by?.sub, ...refusal }) }
}

/** @throws BackchannelError `invalid_request` that names the member. */
export function readFail(input: FailInput): Named {
  const { request, ...refusal } = read(failSchema, input)
  return { request, decision: omitUndefined({ result: 'failed' as const, ...refusal }) }
}

function read<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw invalidRequest(`The completion: ${issueText(result.error.issues[0])}`)
}

function whoAgreed({ input }: { readonly input?: unknown }): string {
  return input === undefined ? 'is missing: say who agreed' : 'must be an object'
}
