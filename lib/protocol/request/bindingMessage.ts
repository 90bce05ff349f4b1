import type { AskContext } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'

// Letters, marks, numbers, punctuation, symbols, plain spaces. No controls, line breaks, bidi or invisible characters.
const visible = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u
// Invisible characters, variation selectors, and signs that stand for something that cannot be shown.
const deceptive = /[\p{Default_Ignorable_Code_Point}\uFFFC\uFFFD\u2800]/u

/**
 * Checks `binding_message` (CIBA Core 7.1). A message that cannot be shown faithfully is refused, never cut.
 * `sentEmpty`: the parameter was there without a value; it counts as absent, except under Transmit's rule.
 * `explained`: authorization details say what the request is about.
 * @param contextRequired Requests that nothing else explains need one (FAPI-CIBA 5.2.2).
 * @throws BackchannelError `invalid_binding_message`
 */
export function checkBindingMessage(
  ctx: AskContext,
  message: string | undefined,
  { sentEmpty, explained }: { readonly sentEmpty: boolean; readonly explained: boolean },
  contextRequired: boolean,
): string | undefined {
  const { bindingMessage: policy, requireBindingMessage } = ctx.settings.requests
  if (message === undefined) {
    if (sentEmpty && policy === 'transmit') throw invalid('must not be empty')
    if (requireBindingMessage || (contextRequired && !explained)) throw invalid('is required')
    return undefined
  }
  const problem = policy === 'own' ? ctx.hooks.bindingMessage?.(message) : policies[policy](message)
  if (problem !== undefined) throw invalid(problem)
  return message
}

/** What is wrong with a message, by policy. `undefined`: nothing. */
const policies = {
  printable: (message: string): string | undefined => {
    if (message.length > 200 || [...message].length > 100) return 'must have 100 characters at most'
    if (!visible.test(message) || deceptive.test(message)) return 'must be one line of visible characters'
    if (message !== message.normalize('NFC')) return 'must be in Unicode normalization form C'
    return undefined
  },
  ascii: (message: string): string | undefined =>
    /^[\x20-\x7E]{1,100}$/.test(message) ? undefined : 'must be 1 to 100 printable ASCII characters',
  transmit: (message: string): string | undefined =>
    /^[a-zA-Z0-9\-._+/!?#]{1,20}$/.test(message)
      ? undefined
      : 'must be 1 to 20 characters of A-Z a-z 0-9 - . _ + / ! ? #',
}

function invalid(what: string): BackchannelError {
  return new BackchannelError('invalid_binding_message', `binding_message ${what}`)
}
