import type { Notice } from '../../contracts/contracts.ts'
import { languageTag, type NoticeStrings } from '../../core/noticeTexts.ts'

const ink = '#171a21'
const quiet = '#575e6d'

/**
 * The HTML part of a mail: tables and inline styles, because mail programs know little else; no images, nothing loaded
 * from anywhere. `fill` puts values into a sentence.
 */
export function mailHtml(notice: Notice, strings: NoticeStrings, fill: (text: string) => string): string {
  const paragraph = (text: string, style: string) => `<p style="margin:0 0 16px;${style}">${escapeHtml(text)}</p>`
  const small = `font-size:13px;line-height:1.5;color:${quiet}`
  const code =
    notice.bindingMessage === undefined
      ? ''
      : `<div style="margin:0 0 24px;padding:14px 18px;border-radius:12px;background-color:#f3f5f9">
<p style="margin:0 0 2px;font-size:14px;color:${quiet}">${escapeHtml(strings.code)}</p>
<p style="margin:0;font-size:24px;line-height:1.3;font-weight:bold;color:${ink}">${escapeHtml(notice.bindingMessage)}</p></div>`

  return `<!doctype html>
<html lang="${escapeHtml(languageTag(notice.locale))}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light only">
<title>${escapeHtml(strings.subject)}</title></head>
<body style="margin:0;padding:0;background-color:#f3f4f7">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:480px;border-radius:16px;background-color:#ffffff">
<tr><td style="padding:32px 28px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;color:${ink};word-break:break-word">
${paragraph(fill(strings.from), 'font-size:20px;line-height:1.35;font-weight:bold')}
${code}
${paragraph(notice.message, 'white-space:pre-line')}
<p style="margin:0 0 24px"><a href="${escapeHtml(notice.link)}" style="display:block;padding:14px 20px;border-radius:12px;background-color:#1f5fd6;color:#ffffff;font-weight:bold;text-align:center;text-decoration:none">${escapeHtml(strings.open)}</a></p>
${paragraph(notice.link, `${small};word-break:break-all`)}
${paragraph(fill(strings.ends), small)}
<p style="margin:0;${small}">${escapeHtml(fill(strings.domain))}</p>
</td></tr></table></td></tr></table></body></html>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (each) => `&#${each.charCodeAt(0)};`)
}
