import type { Channel, Notice, User } from '../../contracts/contracts.ts'
import { ChannelError, type ChannelFailure } from '../../core/errors.ts'
import { durationIn, lineOf, type NoticeStrings, type NoticeTexts, noticeStrings } from '../../core/noticeTexts.ts'
import { mailHtml } from './mail.ts'

/** The part of a nodemailer transport that is used. */
export interface MailTransport {
  sendMail(mail: Mail): Promise<{ messageId?: string; rejected?: readonly unknown[] }>
  verify?(): Promise<unknown>
}

export interface Mail {
  from: string
  to: { name: string; address: string }
  subject: string
  text: string
  html: string
  headers: Record<string, string>
  /** Nodemailer: nothing in a message may make the server read files or fetch URLs. */
  disableFileAccess: true
  disableUrlAccess: true
}

export interface EmailChannelOptions {
  /** What `nodemailer.createTransport(…)` returned. */
  readonly transport: MailTransport
  /** Sender, such as `"Example Bank" <login@example.com>`. */
  readonly from: string
  /** Sentences to replace, by language. */
  readonly texts?: NoticeTexts
  /** Replaces both bodies. Defaults to the built-in text and HTML. Escape what you put into `html`. */
  readonly body?: (notice: Notice, strings: NoticeStrings) => { readonly text: string; readonly html: string }
}

/**
 * Sends the link by e-mail. Reaches users with an `email` that is not known to be unverified.
 * An SMTP 5xx about the recipient is final; anything else may be tried later.
 */
export function emailChannel({ transport, from, texts, body = bodyOf }: EmailChannelOptions): Channel {
  return {
    name: 'email',
    address: ({ email, email_verified }: User) => (email_verified === false ? undefined : email),
    async send(notice) {
      const strings = noticeStrings(notice.locale, texts)
      const mail: Mail = {
        from,
        // as an object: nothing in the address is read as a list or a second header
        to: { name: '', address: notice.to },
        subject: strings.subject,
        ...body(notice, strings),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        disableFileAccess: true,
        disableUrlAccess: true,
      }
      const { messageId, rejected = [] } = await transport.sendMail(mail).catch(refused)
      if (rejected.length > 0) throw new ChannelError('undeliverable', 'the mail server refused the recipient')
      return messageId === undefined ? {} : { messageId }
    },
    async verify() {
      await transport.verify?.()
    },
  }
}

/** What nodemailer says about a failed message (nodemailer.com/errors). */
interface MailFailure {
  readonly code?: string
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
}

function refused(cause: MailFailure): never {
  throw new ChannelError(mailFailure(cause ?? {}), 'the mail could not be sent', { cause })
}

/** A 5xx about the recipient or the message is final. Everything about our own side, and every 4xx, may pass. */
export function mailFailure({ code, command, response = '', responseCode = 0 }: MailFailure): ChannelFailure {
  if (responseCode === 0 && code === 'EENVELOPE') return 'undeliverable' // an address that is none
  if (responseCode < 500 || code === 'EAUTH' || command === 'MAIL FROM') return 'try_later'
  return /^\d{3}[ -]5\.7\./.test(response) ? 'blocked' : 'undeliverable' // RFC 3463: 5.7.x is policy
}

function bodyOf(notice: Notice, strings: NoticeStrings): { text: string; html: string } {
  const fill = (text: string) =>
    text
      .replace('{client}', () => notice.clientName)
      .replace('{time}', () => durationIn(notice.locale, notice.expiresInSeconds))
      .replace('{domain}', () => notice.domain)
  const code = notice.bindingMessage === undefined ? [] : [`${strings.code} ${notice.bindingMessage}`]
  const text = [fill(strings.from), ...code, lineOf(notice), fill(strings.ends), fill(strings.domain)].join('\n\n')
  return { text: `${text}\n`, html: mailHtml(notice, strings, fill) }
}
