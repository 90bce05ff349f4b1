import type { Channel, User } from '../contracts.ts'
import { ChannelError, type ChannelFailure } from '../errors.ts'
import { lineOf } from './notice.ts'

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
  send(text: { readonly to: string; readonly body: string }): Promise<{ readonly messageId?: string } | undefined>
}

export type SmsChannelOptions =
  | TextSender
  | ({
      /** What `twilio(accountSid, authToken)` returned. */
      readonly client: TwilioClient
      /** Absolute URL that Twilio tells the fate of a message to. */
      readonly statusCallback?: string
    } & (
      | { /** Sender number, E.164. */ readonly from: string }
      | { /** Messaging service that chooses the number. */ readonly messagingServiceSid: string }
    ))

/** Twilio's error codes that say more than "not now" (twilio.com/docs/api/errors). */
const failures: Readonly<Record<number, ChannelFailure>> = {
  21211: 'undeliverable', // invalid To number
  21214: 'undeliverable', // To number cannot be reached
  21217: 'undeliverable', // To number looks wrong
  21219: 'undeliverable', // To number not verified (trial account)
  21408: 'blocked', // no permission for the region
  21610: 'blocked', // the recipient unsubscribed
  21612: 'undeliverable', // no route from this sender to that number
  21614: 'undeliverable', // To number cannot receive SMS
  30003: 'undeliverable', // unreachable handset
  30004: 'blocked', // blocked by the carrier or the recipient
  30005: 'undeliverable', // unknown handset
  30006: 'undeliverable', // landline
  30007: 'blocked', // filtered as spam
  30008: 'undeliverable', // unknown error at the carrier
  30034: 'blocked', // sender not registered
  30410: 'blocked', // provider refuses
  30450: 'blocked', // fraud guard
}

/** What a Twilio error code means for the request. */
export function smsFailure(code: number | undefined): ChannelFailure {
  return failures[code ?? 0] ?? 'try_later'
}

/**
 * Sends the link by SMS. Reaches users with a `phone_number` that is not known to be unverified.
 * The text is the message and the link and nothing more, so that it fits one segment where it can.
 */
export function smsChannel(options: SmsChannelOptions): Channel {
  const client = 'client' in options ? options.client : undefined
  return {
    name: 'sms',
    address: ({ phone_number, phone_number_verified }: User) =>
      phone_number_verified === false || !/^\+[1-9]\d{4,14}$/.test(phone_number ?? '') ? undefined : phone_number,
    async send(notice) {
      const text = { to: notice.to, body: lineOf(notice) }
      if (!('client' in options)) return (await options.send(text)) ?? {}
      const { client, ...sender } = options
      const { sid } = await client.messages.create({ ...text, ...sender }).catch(refused)
      return { messageId: sid }
    },
    async verify() {
      await client?.api?.v2010.account.fetch()
    },
  }
}

function refused(cause: { code?: number }): never {
  throw new ChannelError(smsFailure(cause?.code), 'the SMS could not be sent', { cause })
}
