import { BackchannelError } from '../../core/errors.ts'
import type { BindingMessagePolicy } from '../../options/schema.ts'

/** Says what is wrong with a binding message; `undefined`: nothing. */
type Check = (message: string) => string | undefined

// Letters, marks, numbers, punctuation, symbols and plain spaces. No controls, line breaks, bidi or invisible characters.
const visible = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u
// Invisible characters, variation selectors, and signs that stand for something that cannot be shown.
const deceptive = /[\p{Default_Ignorable_Code_Point}\uFFFC\uFFFD\u2800]/u

const policies: Record<Exclude<BindingMessagePolicy, Check>, Check> = {
  printable: (message) => {
    if (message.length > 200 || [...message].length > 100) return 'must have 100 characters at most'
    if (!visible.test(message) || deceptive.test(message)) return 'must be one line of visible characters'
    if (message !== message.normalize('NFC')) return 'must be in Unicode normalization form C'
    return undefined
  },
  ascii: (message) =>
    /^[\x20-\x7E]{1,100}$/.test(message) ? undefined : 'must be 1 to 100 printable ASCII characters',
  transmit: (message) =>
    /^[a-zA-Z0-9\-._+/!?#]{1,20}$/.test(message)
      ? undefined
      : 'must be 1 to 20 characters of A-Z a-z 0-9 - . _ + / ! ? #',
}

/**
 * Checks `binding_message` (CIBA Core 7.1). A message that cannot be shown faithfully is refused, never cut.
 * `sentEmpty`: the parameter was there without a value; it counts as absent, except under Transmit's rule.
 * `explained`: authorization details say what the request is about.
 */
export function createCheckBindingMessage(options: {
  readonly policy: BindingMessagePolicy
  readonly required: boolean
  /** Requests that nothing else explains need one (FAPI-CIBA 5.2.2). */
  readonly contextRequired: boolean
}) {
  const check = typeof options.policy === 'function' ? options.policy : policies[options.policy]
  return (message: string | undefined, sentEmpty: boolean, explained: boolean): string | undefined => {
    if (message === undefined) {
      if (sentEmpty && options.policy === 'transmit') throw invalid('must not be empty')
      if (options.required || (options.contextRequired && !explained)) throw invalid('is required')
      return undefined
    }
    const wrong = check(message)
    if (wrong !== undefined) throw invalid(wrong)
    return message
  }
}

function invalid(what: string): BackchannelError {
  return new BackchannelError('invalid_binding_message', `binding_message ${what}`)
}
