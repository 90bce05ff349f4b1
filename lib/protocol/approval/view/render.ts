import { chooseLanguage, directionOf } from '../../../core/language.ts'
import { askHtml, isLogo } from './ask.ts'
import type { DetailWords } from './details.ts'
import { Html, html } from './html.ts'
import { icon, stateIcons } from './icons.ts'
import type { Page, View } from './model.ts'
import { stateStatus } from './state.ts'
import { styleOf, type Theme } from './style.ts'
import { type PageTexts, pageStrings } from './texts.ts'
import { createTimes } from './times.ts'

export interface RenderOptions {
  /** Host name of the login server, shown on top of every page. */
  readonly domain: string
  readonly texts?: PageTexts | undefined
  readonly theme?: Theme | undefined
  /** IANA name of the time zone that times are told in. Defaults to `UTC`. */
  readonly timeZone?: string | undefined
  readonly details?: Readonly<Record<string, DetailWords>> | undefined
  /** Writes the whole document in place of ours. */
  readonly template?: ((view: View) => string) | undefined
}

/** One page, ready to be sent. */
export interface Rendered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Renders pages: `render(page, languages)`, with the wanted languages in order of preference.
 * Pages that ask nothing are the same for everybody, so each is rendered once per language.
 */
export function createRender(
  options: RenderOptions,
): (page: Page, languages: readonly (string | undefined)[]) => Rendered {
  const { domain, template } = options
  const texts = pageStrings(options.texts)
  const style = styleOf(options.theme)
  const parts = {
    times: createTimes(options.timeZone ?? 'UTC'),
    ...(options.details === undefined ? {} : { details: options.details }),
  }
  const head = new Html(`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>${style.css}</style>`)
  const site = html`<header class="site">${icon('lock')}<span>${domain}</span></header>`
  const headers = headersFor(template === undefined ? `'${style.hash}'` : "'self'", template !== undefined)
  const closed = new Map<string, string>()

  function write(view: View): string {
    if (template !== undefined) return template(view)
    const [title, main] = view.state === 'ask' ? [view.strings.title, askHtml(view, parts)] : closedHtml(view)
    return `<!doctype html>\n${html`<html lang="${view.locale}" dir="${view.dir}">
<head>${head}
<title>${title} · ${domain}</title></head>
<body>${site}
${main}</body></html>`}\n`
  }

  return (page, languages) => {
    const { locale, key } = chooseLanguage(texts, languages)
    const strings = texts.get(key)
    if (strings === undefined) throw new TypeError(`express-ciba: no sentences for "${key}"`)
    const view: View = { ...page, locale, dir: directionOf(locale), domain, strings }
    if (page.state === 'ask') {
      return { status: 200, headers: headers(page.logoUri), body: write(view) }
    }
    const status = stateStatus[page.state]
    if ('signInUrl' in page) return { status, headers: headers(undefined), body: write(view) }
    const name = `${page.state} ${key}`
    const body = closed.get(name) ?? write({ ...view, locale: key })
    closed.set(name, body)
    return { status, headers: headers(undefined), body }
  }
}

function closedHtml(view: Exclude<View, { state: 'ask' }>): readonly [string, Html] {
  const [heading, sentence] = view.strings.closed[view.state]
  const main = html`<main class="closed ${view.state}"><span class="mark">${icon(stateIcons[view.state])}</span>
<h1>${heading}</h1>
<p>${sentence}</p>
${'signInUrl' in view && html`<a class="button" href="${view.signInUrl}">${view.strings.signIn}</a>`}</main>`
  return [heading, main]
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
