import { cardOf, type DetailWords } from './details.ts'
import { fill, type Html, html, type Part } from './html.ts'
import { icon } from './icons.ts'
import type { Ask, View } from './model.ts'
import type { PageStrings } from './texts.ts'
import type { Times } from './times.ts'

export interface AskParts {
  readonly times: Times
  readonly details?: Readonly<Record<string, DetailWords>>
}

/** Longer binding messages are set smaller. */
const longMessage = 24

const tick = html`${icon('check')}`

/** The question: who asks, what to compare, what would be granted, and the three answers. */
export function askHtml(view: View & Ask, { times, details }: AskParts): Html {
  const { strings, locale, scope, requestedAt, expiresAt, now } = view
  const client = html`<bdi>${view.clientName}</bdi>`
  const cards = (view.authorizationDetails ?? []).map((detail) => cardOf(detail, locale, details))

  return html`<main>${logoHtml(view.logoUri)}
<h1>${fill(strings.asks, { client })}</h1>
<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
${view.choices === undefined ? messageHtml(view, client) : choicesHtml(view.choices, strings, client)}
<dl class="facts">
<div><dt>${strings.asked}</dt><dd><time datetime="${new Date(requestedAt).toISOString()}">${times.relative(requestedAt, now, locale)} · ${times.clock(requestedAt, now, locale)}</time></dd></div>
${view.place !== undefined && html`<div><dt>${strings.place}</dt><dd><bdi>${view.place}</bdi></dd></div>`}
</dl>
${
  cards.length > 0 &&
  html`<section class="part"><h2>${strings.details}</h2>
${cards.map(({ title, rows }) => html`<div class="card"><h3>${title}</h3><dl>${rows.map(rowHtml)}</dl></div>`)}</section>`
}
<section class="part"><h2>${fill(strings.grants, { client })}</h2>
<ul>${scope.map((each) => html`<li>${tick}${wordsFor(each, strings)}</li>`)}</ul></section>
<p class="caution">${strings.caution}</p>
<div class="actions">
<button class="deny" name="action" value="deny" formnovalidate>${strings.deny}</button>
<button class="approve" name="action" value="approve">${strings.approve}</button>
</div>
<p class="ends">${fill(strings.ends, { when: times.relative(expiresAt, now, locale) })}</p>
<div class="part not-me">
<button name="action" value="not_me" formnovalidate aria-describedby="not-me">${strings.notMe}</button>
<p class="hint" id="not-me">${fill(strings.notMeHint, { client })}</p>
</div>
</form></main>`
}

/** Only https: the page would load anything else without protection, and the address is the client's own. */
export function isLogo(uri: string | undefined): uri is string {
  return uri?.startsWith('https://') === true && URL.canParse(uri)
}

function logoHtml(uri: string | undefined): Part {
  return isLogo(uri) && html`<img class="logo" src="${uri}" alt="" width="48" height="48" referrerpolicy="no-referrer">`
}

function messageHtml({ bindingMessage, strings }: View & Ask, client: Html): Part {
  if (bindingMessage === undefined) return false
  const size = bindingMessage.length > longMessage ? 'code long' : 'code'
  return html`<section class="message"><p>${fill(strings.compare, { client })}</p><p class="${size}"><bdi>${bindingMessage}</bdi></p></section>`
}

function choicesHtml(choices: readonly string[], strings: PageStrings, client: Html): Html {
  return html`<fieldset class="message" aria-describedby="choose"><legend>${fill(strings.choose, { client })}</legend>
${choices.map((choice) => html`<label class="choice"><input type="radio" name="choice" value="${choice}" required><bdi>${choice}</bdi></label>`)}
<p class="hint" id="choose">${strings.chooseHint}</p></fieldset>`
}

function rowHtml([label, value]: readonly [string, string]): Html {
  return html`<div><dt>${label}</dt><dd><bdi>${value}</bdi></dd></div>`
}

function wordsFor(scope: string, strings: PageStrings): Part {
  return Object.hasOwn(strings.scopes, scope) ? strings.scopes[scope] : fill(strings.otherScope, { scope })
}
