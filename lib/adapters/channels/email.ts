import type { Channel, ChannelFailure, Notice, NoticeStrings, NoticeTexts } from '../../contracts/channel.ts'
import type { User } from '../../contracts/users.ts'
import { ChannelError } from '../../core/errors.ts'
import { escapeHtml } from '../../core/html.ts'
import { omitUndefined } from '../../core/json.ts'
import { languageTag } from '../../core/language.ts'
import { durationIn, lineOf, noticeStrings } from '../../core/noticeTexts.ts'

/** The part of a nodemailer transport that is used. */
export interface MailTransport {
  sendMail(mail: Mail): Promise<{ messageId?: string; rejected?: readonly unknown[] }>
  verify?(): Promise<unknown>
}

/** A message, as nodemailer takes it. */
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

/** What `emailChannel` takes. */
export interface EmailChannelOptions {
  /** What `nodemailer.createTransport(…)` returned. */
  readonly transport: MailTransport
  /** Sender, such as `"Example Bank" <login@example.com>`. */
  readonly from: string
  /** Sentences to replace, by language. Defaults to none. */
  readonly texts?: NoticeTexts
  /** Replaces both bodies. Defaults to the built-in text and HTML. Escape what you put into `html`. */
  readonly body?: (notice: Notice, strings: NoticeStrings) => { readonly text: string; readonly html: string }
}

/**
 * Sends the link by e-mail. Reaches users with an `email` that is not known to be unverified.
 * An SMTP 5xx about the recipient is final; anything else may be tried later.
 * @throws TypeError without a transport or a sender.
 * @example
 * ```ts
 * const transport = nodemailer.createTransport('smtps://user:secret@smtp.example.com')
 * const channels = [emailChannel({ transport, from: '"Example Bank" <login@example.com>' })]
 * ```
 */
export function emailChannel(options: EmailChannelOptions): Channel {
  requireSender(options)
  const { transport, from, texts, body = bodyOf } = options
  return {
    name: 'email',
    address: ({ email, email_verified }: User) => (email_verified === false ? undefined : email),
    async send(notice) {
      const strings = noticeStrings(notice.locale, texts)
      const mail: Mail = {
        from,
        // an object: the address is not parsed for a list or a second header
        to: { name: '', address: notice.to },
        subject: strings.subject,
        ...body(notice, strings),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        disableFileAccess: true,
        disableUrlAccess: true,
      }
      const { messageId, rejected = [] } = await transport.sendMail(mail).catch(refused)
      if (rejected.length > 0) throw new ChannelError('undeliverable', 'the mail server refused the recipient')
      return omitUndefined({ messageId })
    },
    async verify() {
      await transport.verify?.()
    },
  }
}

function requireSender(options: EmailChannelOptions | undefined): void {
  const { transport, from }: Partial<EmailChannelOptions> = options ?? {}
  if (typeof transport?.sendMail !== 'function') {
    throw new TypeError(
      'express-ciba: emailChannel: "transport" must be what nodemailer.createTransport(…) returned: ' +
        'emailChannel({ transport, from })',
    )
  }
  if (!from) {
    throw new TypeError(
      `express-ciba: emailChannel: "from" must be the sender, such as '"Example Bank" <login@example.com>'`,
    )
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
function mailFailure({ code, command, response = '', responseCode = 0 }: MailFailure): ChannelFailure {
  if (responseCode === 0 && code === 'EENVELOPE') return 'undeliverable' // it is not an address
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
  return { text: `${text}\n`, html: htmlOf(notice, strings, fill) }
}

const ink = '#171a21'
const grey = '#575e6d'
const table = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
const small = `font-size:13px;line-height:1.5;color:${grey}`
const cell = [
  'padding:32px 28px',
  `font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif`,
  `font-size:16px;line-height:1.5;color:${ink};word-break:break-word`,
].join(';')
const button = [
  'display:block;padding:14px 20px;border-radius:12px;background-color:#1f5fd6',
  'color:#ffffff;font-weight:bold;text-align:center;text-decoration:none',
].join(';')

/**
 * The HTML part: tables and inline styles, because mail programs know little else; no images, and nothing is loaded.
 * `fill` puts values into a sentence.
 */
function htmlOf(notice: Notice, strings: NoticeStrings, fill: (text: string) => string): string {
  return `<!doctype html>
<html lang="${escapeHtml(languageTag(notice.locale))}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light only">
<title>${escapeHtml(strings.subject)}</title></head>
<body style="margin:0;padding:0;background-color:#f3f4f7">
${table}><tr><td align="center" style="padding:24px 12px">
${table} style="max-width:480px;border-radius:16px;background-color:#ffffff">
<tr><td style="${cell}">
${paragraph(fill(strings.from), 'font-size:20px;line-height:1.35;font-weight:bold')}
${codeBox(strings.code, notice.bindingMessage)}
${paragraph(notice.message, 'white-space:pre-line')}
<p style="margin:0 0 24px"><a href="${escapeHtml(notice.link)}" style="${button}">${escapeHtml(strings.open)}</a></p>
${paragraph(notice.link, `${small};word-break:break-all`)}
${paragraph(fill(strings.ends), small)}
<p style="margin:0;${small}">${escapeHtml(fill(strings.domain))}</p>
</td></tr></table></td></tr></table></body></html>`
}

function paragraph(text: string, style: string): string {
  return `<p style="margin:0 0 16px;${style}">${escapeHtml(text)}</p>`
}

/** The binding message, for the user to compare. */
function codeBox(label: string, code: string | undefined): string {
  if (code === undefined) return ''
  return `<div style="margin:0 0 24px;padding:14px 18px;border-radius:12px;background-color:#f3f5f9">
<p style="margin:0 0 2px;font-size:14px;color:${grey}">${escapeHtml(label)}</p>
<p style="margin:0;font-size:24px;line-height:1.3;font-weight:bold;color:${ink}">${escapeHtml(code)}</p></div>`
}
