import { createHmac } from 'node:crypto'
import type { ChannelFailure, NoticeStatus } from '../../contracts/channel.ts'
import { equalSecrets } from '../../core/crypto/handles.ts'
import { omitUndefined } from '../../core/json.ts'

/**
 * Twilio's error codes that say more than "not now" (twilio.com/docs/api/errors). All others, outages and mistakes in
 * our own account among them, may be tried later.
 */
const failures: Readonly<Record<number, ChannelFailure>> = {
  21211: 'undeliverable', // invalid To number
  21214: 'undeliverable', // To number cannot be reached
  21217: 'undeliverable', // To number looks wrong
  21265: 'undeliverable', // To number is a short code
  21266: 'undeliverable', // To number is the sender
  21268: 'blocked', // premium rate number
  21408: 'blocked', // region not enabled
  21608: 'undeliverable', // To number not verified (trial account)
  21610: 'blocked', // the recipient replied STOP
  21612: 'undeliverable', // no route from this sender to that number
  21614: 'undeliverable', // To number cannot receive SMS
  21635: 'undeliverable', // To number is a landline
  30004: 'blocked', // blocked by the carrier or the recipient
  30005: 'undeliverable', // unknown handset
  30006: 'undeliverable', // landline or unreachable carrier
  30007: 'blocked', // filtered
  30032: 'blocked', // toll-free number not verified
  30034: 'blocked', // sender not registered
  30450: 'blocked', // fraud protection
}

/**
 * What a Twilio error code means for a notice.
 * @example
 * ```ts
 * throw new ChannelError(smsFailure(error.code), error.message, { cause: error })
 * ```
 */
export function smsFailure(code: number | undefined): ChannelFailure {
  return failures[code ?? 0] ?? 'try_later'
}

/** A status callback of Twilio, freed from its server. */
export interface TwilioStatusCall {
  /** Auth token of the account. */
  readonly authToken: string
  /** The URL that was given to Twilio, to the letter. */
  readonly url: string
  /** Value of the header `X-Twilio-Signature`. */
  readonly signature: string | undefined
  /** The parameters of the body. */
  readonly parameters: Iterable<readonly [name: string, value: string]>
}

/**
 * Reads a status callback of Twilio: what became of a message. `undefined` when Twilio did not send it.
 * Signature: twilio.com/docs/usage/webhooks/webhooks-security.
 * @example
 * ```ts
 * const signature = req.get('x-twilio-signature')
 * const status = readTwilioStatus({ authToken, url, signature, parameters: Object.entries(req.body) })
 * ```
 */
export function readTwilioStatus(call: TwilioStatusCall): NoticeStatus | undefined {
  const parameters = new Map(call.parameters)
  const isSigned = [call.url, urlWithOtherPort(call.url)].some((url) =>
    equalSecrets(call.signature ?? '', signatureOf(call.authToken, url, parameters)),
  )
  if (!isSigned) return undefined
  const status = parameters.get('MessageStatus')
  const hasFailed = status === 'failed' || status === 'undelivered' || status === 'canceled'
  return omitUndefined({
    messageId: parameters.get('MessageSid'),
    failure: hasFailed ? (failures[Number(parameters.get('ErrorCode'))] ?? 'undeliverable') : undefined,
  })
}

/** The signature Twilio gives a call with this URL and body. */
function signatureOf(authToken: string, url: string, parameters: ReadonlyMap<string, string>): string {
  const sorted = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = url + sorted.map(([name, value]) => name + value).join('')
  return createHmac('sha1', authToken).update(text).digest('base64')
}

/** The URL with the standard port, or without its port: Twilio may sign either. */
function urlWithOtherPort(url: string): string {
  const { host, port } = new URL(url)
  if (port !== '') return url.replace(`//${host}`, `//${host.slice(0, -port.length - 1)}`)
  return url.replace(`//${host}`, `//${host}:${url.startsWith('https:') ? '443' : '80'}`)
}
