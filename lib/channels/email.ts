import type { Channel, Notice, User } from '../contracts.ts'
import { ChannelError } from '../errors.ts'
import { lineOf, type NoticeStrings, type NoticeTexts, noticeStrings } from './notice.ts'

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
 * SMTP 5xx answers are final; anything else may be tried later.
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

function refused(cause: { responseCode?: number }): never {
  const { responseCode = 0 } = cause ?? {}
  const final = responseCode >= 500 && responseCode < 600
  throw new ChannelError(final ? 'undeliverable' : 'try_later', 'the mail server refused the message', { cause })
}

function bodyOf(notice: Notice, strings: NoticeStrings): { text: string; html: string } {
  const fill = (text: string) =>
    text
      .replace('{client}', () => notice.clientName)
      .replace('{minutes}', () => String(Math.max(1, Math.round(notice.expiresInSeconds / 60))))
      .replace('{domain}', () => notice.domain)
  const code = notice.bindingMessage === undefined ? [] : [`${strings.code} ${notice.bindingMessage}`]
  const text = [fill(strings.from), ...code, lineOf(notice), fill(strings.ends), fill(strings.domain)].join('\n\n')
  return { text: `${text}\n`, html: htmlOf(notice, strings, fill) }
}

function htmlOf(notice: Notice, strings: NoticeStrings, fill: (text: string) => string): string {
  const paragraph = (text: string, style = '') => `<p style="margin:0 0 16px;${style}">${escapeHtml(text)}</p>`
  const code =
    notice.bindingMessage === undefined
      ? ''
      : paragraph(strings.code) + paragraph(notice.bindingMessage, 'font-size:22px;font-weight:bold;letter-spacing:1px')
  return `<!doctype html><html lang="${escapeHtml(notice.locale)}"><head><meta charset="utf-8"><title>${escapeHtml(strings.subject)}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif"><div style="max-width:480px;margin:0 auto">
${paragraph(fill(strings.from))}${code}${paragraph(notice.message, 'white-space:pre-line')}
<p style="margin:0 0 24px"><a href="${escapeHtml(notice.link)}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:#1a56db;color:#ffffff;text-decoration:none">${escapeHtml(strings.open)}</a></p>
${paragraph(notice.link, 'font-size:13px;word-break:break-all')}${paragraph(fill(strings.ends), 'font-size:13px')}${paragraph(fill(strings.domain), 'font-size:13px')}
</div></body></html>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`)
}
