import type { Awaitable } from './clients.ts'
import type { User } from './users.ts'

/** How a notice failed: for good, by the carrier's or recipient's will, or only for now. */
export type ChannelFailure = 'undeliverable' | 'blocked' | 'try_later'

/** A message that is ready to be delivered. A channel decides nothing: it carries this. */
export interface Notice {
  /** Where to: what the channel's own `address` returned. */
  readonly to: string
  /** One-time approval URL. */
  readonly link: string
  /** The sentence before the link: the client's `custom_message`, or the default in the user's language. Plain text. */
  readonly message: string
  /** Display name of the client. */
  readonly clientName: string
  readonly bindingMessage?: string
  /** BCP 47 tag. */
  readonly locale: string
  /** Seconds until the link is worthless. */
  readonly expiresInSeconds: number
  /** Host name the link leads to, for "we only ever send links to …". */
  readonly domain: string
  /** Every member of `request_context` that we do not know, for the host's own channels. */
  readonly context: Readonly<Record<string, unknown>>
  /** Short public id of the request, for correlation in logs and status callbacks. Not a secret, not a handle. */
  readonly reference: string
  /** Where the carrier may report what became of this notice. Only where the channel has `readStatus`. */
  readonly statusUrl?: string
}

/** A form, read once. Repeated parameters never get this far. */
export interface Form {
  /** Parameters with a value. */
  readonly values: ReadonlyMap<string, string>
  /** Names that were sent without a value; they count as absent (RFC 6749 3.2) wherever nothing else is said. */
  readonly empty: ReadonlySet<string>
  /** `resource`, the one parameter that may be repeated (RFC 8707 2). */
  readonly resources: readonly string[]
}

/** A carrier's report about a notice, freed from Express. */
export interface StatusCall {
  /** The `statusUrl` of the notice, from configuration. */
  readonly url: string
  /** Value of a header, by its name in lower case. */
  header(name: string): string | undefined
  readonly form: Form
}

/** What became of a notice after it was handed over. */
export interface NoticeStatus {
  readonly messageId?: string
  /** Set when it will not arrive. */
  readonly failure?: ChannelFailure
}

/** What a channel reports about a notice it has handed over. */
export interface Sent {
  /** The carrier's name for the message: a `Message-ID`, a Twilio SID. */
  readonly messageId?: string
}

/**
 * A way to the user.
 * @example
 * ```ts
 * const push: Channel = {
 *   name: 'push',
 *   address: (user) => user.device as string | undefined,
 *   send: async ({ to, message, link }) => ({ messageId: await firebase.send(to, message, link) }),
 * }
 * ```
 */
export interface Channel {
  /** `sms`, `email`, `link`, … as in `request_context.channel`. */
  readonly name: string
  /** Where this user is reached, from the user's own record. `undefined`: not by this channel. */
  address(user: User): string | undefined
  /** Hands the notice over. Rejects with a `ChannelError` when it cannot be delivered. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a channel without a message id returns nothing
  send(notice: Notice): Awaitable<Sent | void>
  /** The client gets the link in its answer; nothing is sent to the user. */
  readonly returnsLink?: true
  /** Stands in for a channel that is asked for by name but not configured (the console during development). */
  readonly standsIn?: true
  /** Checks configuration and connection; used by `doctor`. */
  verify?(): Awaitable<void>
  /** Checks and reads a carrier's report. `undefined`: it does not come from the carrier. */
  readStatus?(call: StatusCall): NoticeStatus | undefined
}

/** The sentences of a notice in one language. Each may be replaced. */
export interface NoticeStrings {
  /** Before the link, when the client sends no `custom_message`. */
  readonly message: string
  /** Subject of the e-mail. Holds nothing that came with the request. */
  readonly subject: string
  /** `{client}` asks. */
  readonly from: string
  /** Label of the binding message. */
  readonly code: string
  /** On the button. */
  readonly open: string
  /** `{time}` left ("10 minutes"), and what to do with a request that one did not start. */
  readonly ends: string
  /** Where links of ours lead: `{domain}`. */
  readonly domain: string
}

/** Sentences by language, for a channel to replace some or add a language. */
export type NoticeTexts = Readonly<Record<string, Partial<NoticeStrings>>>
