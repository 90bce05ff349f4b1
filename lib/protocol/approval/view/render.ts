import type { Page, View } from '../../../contracts/page.ts'
import type { AskHooks } from '../../../core/context.ts'
import { Html, html } from '../../../core/html.ts'
import { chooseLanguage, directionOf } from '../../../core/language.ts'
import type { AskSettings } from '../../../core/settings.ts'
import { askHtml, isLogo } from './ask.ts'
import { icon, stateIcons } from './icons.ts'
import { stateStatus } from './model.ts'
import { styleOf } from './style.ts'
import { pageStrings } from './texts.ts'
import { createTimes } from './times.ts'

/** One page, ready to be sent. */
export interface Rendered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Renders a page in the first of the wanted languages that there are sentences for. */
export type Render = (page: Page, languages: readonly (string | undefined)[]) => Rendered

/**
 * Makes what renders pages. Style, headers and sentences are computed once. Pages that ask nothing are the same for
 * everybody, so each is rendered once per language.
 *
 * @param domain Host name of the login server, shown on top of every page.
 * @throws TypeError for a theme that cannot be; RangeError for an unknown time zone.
 */
export function createRender(
  page: Pick<AskSettings['page'], 'texts' | 'theme' | 'timeZone'>,
  { template, details }: Pick<AskHooks, 'template' | 'details'>,
  domain: string,
): Render {
  const texts = pageStrings(page.texts)
  const style = styleOf(page.theme)
  const times = createTimes(page.timeZone ?? 'UTC')
  const headers = headersFor(template === undefined ? `'${style.hash}'` : "'self'", template !== undefined)
  const wholePage = createDocument(style.css, domain)
  const closed = new Map<string, string>()

  function write(view: View): string {
    if (template !== undefined) return template(view)
    if (view.state === 'ask') return wholePage(view, view.strings.title, askHtml(view, times, details))
    return wholePage(view, view.strings.closed[view.state][0], closedHtml(view))
  }

  return (page, languages) => {
    const { locale, key } = chooseLanguage(texts, languages)
    const strings = texts.get(key)
    if (strings === undefined) throw new TypeError(`express-ciba: no sentences for "${key}"`)
    const view: View = { ...page, locale, dir: directionOf(locale), domain, strings }
    const status = stateStatus[page.state]
    if (page.state === 'ask') return { status, headers: headers(page.logoUri), body: write(view) }
    if ('signInUrl' in page) return { status, headers: headers(undefined), body: write(view) }
    const name = `${page.state} ${key}`
    const body = closed.get(name) ?? write({ ...view, locale: key })
    closed.set(name, body)
    return { status, headers: headers(undefined), body }
  }
}

/** What writes the whole document around the content of a page. */
function createDocument(css: string, domain: string): (view: View, title: string, main: Html) => string {
  const head = new Html(`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>${css}</style>`)
  const site = html`<header class="site">${icon('lock')}<span>${domain}</span></header>`
  return ({ locale, dir }, title, main) =>
    `<!doctype html>\n${html`<html lang="${locale}" dir="${dir}">
<head>${head}
<title>${title} · ${domain}</title></head>
<body>${site}
${main}</body></html>`}\n`
}

function closedHtml(view: Exclude<View, { state: 'ask' }>): Html {
  const [heading, sentence] = view.strings.closed[view.state]
  return html`<main class="closed ${view.state}"><span class="mark">${icon(stateIcons[view.state])}</span>
<h1>${heading}</h1>
<p>${sentence}</p>
${'signInUrl' in view && html`<a class="button" href="${view.signInUrl}">${view.strings.signIn}</a>`}</main>`
}

const features = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'microphone',
  'payment',
  'usb',
]

/** The same protection for every page. Images only from where the client's logo is, and only when it is shown. */
function headersFor(styleSource: string, ownImages: boolean): (logoUri: string | undefined) => Rendered['headers'] {
  const policy = (images: string) =>
    `default-src 'none'; style-src ${styleSource};${images} form-action 'self'; frame-ancestors 'none'; base-uri 'none'`
  const own = ownImages ? " 'self'" : ''
  const plain = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy(ownImages ? " img-src 'self'; font-src 'self';" : ''),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'Permissions-Policy': features.map((feature) => `${feature}=()`).join(', '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Robots-Tag': 'noindex',
  }
  return (logoUri) =>
    isLogo(logoUri)
      ? { ...plain, 'Content-Security-Policy': policy(` img-src${own} ${new URL(logoUri).origin};`) }
      : plain
}
