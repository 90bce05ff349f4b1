import type { Channel, User } from '../../contracts/contracts.ts'
import { ChannelError } from '../../core/errors.ts'
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

export interface TwilioMessage {
  to: string
  body: string
  from?: string
  messagingServiceSid?: string
  statusCallback?: string
}

/** Any other way to send a text. */
export interface TextSender {
  /** Reject with a `ChannelError` when the text cannot be delivered; anything else thrown means "try later". */
  send(text: {
    readonly to: string
    readonly body: string
    /** The request's public id. */
    readonly reference: string
  }): Promise<{ readonly messageId?: string } | undefined>
}

/** What every text keeps to. */
export interface SmsReach {
  /** Numbers that texts go to, by how they begin, such as `['+49', '+4175']`. Defaults to all. Keeps premium numbers out. */
  readonly prefixes?: readonly string[]
}

export type SmsChannelOptions = SmsReach &
  (
    | TextSender
    | ({
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
      ))
  )

/**
 * Sends the link by SMS. Reaches users with a `phone_number` that is not known to be unverified.
 * The text is the message and the link and nothing more, so that it fits one SMS where it can.
 * @throws TypeError when a prefix is none.
 */
export function smsChannel(options: SmsChannelOptions): Channel {
  const { prefixes } = options
  const wrong = prefixes?.find((prefix) => !/^\+[1-9]\d{0,13}$/.test(prefix))
  if (wrong !== undefined) throw new TypeError(`smsChannel: prefixes holds "${wrong}"; write them like "+49"`)
  const channel = {
    name: 'sms',
    address({ phone_number = '', phone_number_verified }: User): string | undefined {
      if (phone_number_verified === false || !/^\+[1-9]\d{4,14}$/.test(phone_number)) return undefined
      return prefixes?.some((prefix) => phone_number.startsWith(prefix)) === false ? undefined : phone_number
    },
  }
  if (!('client' in options)) {
    return {
      ...channel,
      send: async (notice) =>
        (await options.send({ to: notice.to, body: plainSigns(lineOf(notice)), reference: notice.reference })) ?? {},
    }
  }

  const { client, authToken, prefixes: _, ...sender } = options
  return {
    ...channel,
    async send(notice) {
      const { sid } = await client.messages
        .create({
          to: notice.to,
          body: plainSigns(lineOf(notice)),
          ...sender,
          ...(authToken === undefined || notice.statusUrl === undefined ? {} : { statusCallback: notice.statusUrl }),
        })
        .catch(refused)
      return { messageId: sid }
    },
    async verify() {
      await client.api?.v2010.account.fetch()
    },
    ...(authToken === undefined
      ? {}
      : {
          readStatus: ({ url, header, form }) =>
            readTwilioStatus({ authToken, url, signature: header('x-twilio-signature'), parameters: form.values }),
        }),
  } satisfies Channel
}

function refused(cause: { code?: unknown }): never {
  const code = typeof cause?.code === 'number' ? cause.code : undefined
  throw new ChannelError(smsFailure(code), 'the SMS could not be sent', { cause })
}
