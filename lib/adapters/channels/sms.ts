import type { Channel, Notice } from '../../contracts/channel.ts'
import type { User } from '../../contracts/users.ts'
import { ChannelError } from '../../core/errors.ts'
import { omitUndefined } from '../../core/json.ts'
import { lineOf } from '../../core/noticeTexts.ts'
import { plainSigns } from './gsm7.ts'
import { readTwilioStatus, smsFailure } from './twilio.ts'

/** The part of a twilio client that is used. */
export interface TwilioClient {
  readonly messages: {
    create(message: TwilioMessage): Promise<{ readonly sid: string }>
  }
  readonly api?: { readonly v2010: { readonly account: { fetch(): Promise<unknown> } } }
}

/** A message, as Twilio takes it. */
export interface TwilioMessage {
  to: string
  body: string
  from?: string
  messagingServiceSid?: string
  statusCallback?: string
}

/** Texts by Twilio. */
export type TwilioSender = {
  /** What `twilio(accountSid, authToken)` returned. */
  readonly client: TwilioClient
  /**
   * Auth token of the account. With it Twilio is asked to report what became of a message, and its reports are
   * checked; without it a message that bounces later goes unnoticed.
   */
  readonly authToken?: string
} & (
  | { /** Sender number, E.164. */ readonly from: string }
  | { /** Messaging service that chooses the number. */ readonly messagingServiceSid: string }
)

/**
 * Any other way to send a text.
 * @example
 * ```ts
 * const channels = [smsChannel({ send: async ({ to, body }) => ({ messageId: await carrier.text(to, body) }) })]
 * ```
 */
export interface TextSender {
  /** Reject with a `ChannelError` when the text cannot be delivered; anything else thrown means "try later". */
  send(text: {
    readonly to: string
    readonly body: string
    /** The request's public id. */
    readonly reference: string
  }): Promise<{ readonly messageId?: string } | undefined>
}

/** What applies to every text. */
export interface SmsReach {
  /**
   * Numbers that texts go to, by how they begin, such as `['+49', '+4175']`. Keeps premium numbers out.
   * Defaults to all.
   */
  readonly prefixes?: readonly string[]
}

/** What `smsChannel` takes: a sender, and what applies to every text. */
export type SmsChannelOptions = SmsReach & (TextSender | TwilioSender)

/**
 * Sends the link by SMS. Reaches users with a `phone_number` that is not known to be unverified.
 * The text is the message and the link and nothing more, so that it fits one SMS where it can.
 * @throws TypeError when there is no sender, or a prefix is not one.
 * @example
 * ```ts
 * const client = twilio(accountSid, authToken)
 * const channels = [smsChannel({ client, authToken, from: '+15550000', prefixes: ['+1'] })]
 * ```
 */
export function smsChannel(options: SmsChannelOptions): Channel {
  requireSender(options)
  const address = (user: User) => addressOf(user, options.prefixes)
  return 'client' in options ? twilioChannel(options, address) : textChannel(options, address)
}

function requireSender(options: SmsChannelOptions | undefined): void {
  const { client, send, prefixes }: Partial<TwilioSender & TextSender & SmsReach> = options ?? {}
  if (typeof client?.messages?.create !== 'function' && typeof send !== 'function') {
    throw new TypeError(
      'express-ciba: smsChannel needs a sender: ' +
        'smsChannel({ client: twilio(accountSid, authToken), from }) or smsChannel({ send })',
    )
  }
  const wrong = prefixes?.find((prefix) => !/^\+[1-9]\d{0,13}$/.test(prefix))
  if (wrong !== undefined) {
    throw new TypeError(`express-ciba: smsChannel: "prefixes" holds "${wrong}"; write them like "+49"`)
  }
}

/** The user's number in E.164, unless it is unverified or texts may not go there. */
function addressOf(user: User, prefixes: readonly string[] | undefined): string | undefined {
  const { phone_number = '', phone_number_verified } = user
  if (phone_number_verified === false || !/^\+[1-9]\d{4,14}$/.test(phone_number)) return undefined
  return prefixes?.some((prefix) => phone_number.startsWith(prefix)) === false ? undefined : phone_number
}

function textChannel(sender: TextSender, address: Channel['address']): Channel {
  return {
    name: 'sms',
    address,
    send: async (notice) =>
      (await sender.send({ to: notice.to, body: textOf(notice), reference: notice.reference })) ?? {},
  }
}

function twilioChannel(options: TwilioSender & SmsReach, address: Channel['address']): Channel {
  const { client, authToken, prefixes: _, ...from } = options
  const channel: Channel = {
    name: 'sms',
    address,
    async send(notice) {
      const statusCallback = authToken === undefined ? undefined : notice.statusUrl
      const message = omitUndefined({ to: notice.to, body: textOf(notice), ...from, statusCallback })
      const { sid } = await client.messages.create(message).catch(refused)
      return { messageId: sid }
    },
    async verify() {
      await client.api?.v2010.account.fetch()
    },
  }
  if (authToken === undefined) return channel
  return {
    ...channel,
    readStatus: ({ url, header, form }) =>
      readTwilioStatus({ authToken, url, signature: header('x-twilio-signature'), parameters: form.values }),
  }
}

function textOf(notice: Notice): string {
  return plainSigns(lineOf(notice))
}

function refused(cause: { code?: unknown }): never {
  const code = typeof cause?.code === 'number' ? cause.code : undefined
  throw new ChannelError(smsFailure(code), 'the SMS could not be sent', { cause })
}
