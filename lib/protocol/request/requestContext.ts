import { z } from 'zod'
import { invalidRequest, issueText } from '../../core/errors.ts'
import { isObject, jsonIn } from '../../core/json.ts'

/** What `request_context` says about the way to the user (Transmit). Its other members go to channels and hooks. */
export interface RequestContext {
  /** `sms`, `email`, `link`, or the name of a channel of the host's own. */
  readonly channel?: string | undefined
  readonly loginHintType: 'phone' | 'email' | 'user_id'
  readonly customMessage?: string | undefined
  /** The object as it was sent. */
  readonly all: Readonly<Record<string, unknown>>
}

const schema = z.looseObject({
  channel: z
    .string('must be a string')
    .regex(/^[\w-]{1,32}$/, 'must be sms, email or link')
    .optional(),
  login_hint_type: z.enum(['phone', 'email', 'user_id'], 'must be phone, email or user_id').default('phone'),
  custom_message: z
    .string('must be a string')
    .max(500, 'must have 500 characters at most')
    // Line breaks are fine; other controls, line separators and bidi controls are not.
    .regex(/^(?:[^\p{C}\u2028\u2029]|[\n\u200C\u200D])*$/u, 'must be plain text')
    .optional(),
})

/**
 * Reads `request_context`: the text of a form parameter, or the object of a signed request.
 * A context without `login_hint_type` means a phone number, as Transmit documents it.
 * @throws BackchannelError `invalid_request` naming the property.
 */
export function readContext(value: unknown): RequestContext | undefined {
  if (value === undefined) return undefined
  const object = jsonIn(value, (what) => invalidRequest(`request_context ${what}`))
  if (!isObject(object)) throw invalidRequest('request_context must be a JSON object')
  const result = schema.safeParse(object)
  if (!result.success) throw invalidRequest(`request_context: ${issueText(result.error.issues[0])}`)
  const { channel, login_hint_type, custom_message } = result.data
  return { channel, loginHintType: login_hint_type, customMessage: custom_message, all: object }
}
