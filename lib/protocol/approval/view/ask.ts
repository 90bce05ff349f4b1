import type { DetailCard, DetailWords, PageStrings, Question, View } from '../../../contracts/page.ts'
import { fill, type Html, html, type Part } from '../../../core/html.ts'
import { cardOf } from './details.ts'
import { icon } from './icons.ts'
import type { Times } from './times.ts'

/** Longer binding messages are set smaller. */
const maxLargeMessage = 24

/** The question: who asks, what to compare, what would be granted, and the three answers. */
export function askHtml(view: View & Question, times: Times, words: Readonly<Record<string, DetailWords>>): Html {
  const { strings, locale, choices, expiresAt, now } = view
  const client = html`<bdi>${view.clientName}</bdi>`
  return html`<main>${logoHtml(view.logoUri)}
<h1>${fill(strings.asks, { client })}</h1>
<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
${choices === undefined ? messageHtml(view, client) : choicesHtml(choices, strings, client)}
${factsHtml(view, times)}
${detailsHtml(view, words)}
<section class="part"><h2>${fill(strings.grants, { client })}</h2>
<ul>${view.scope.map((each) => html`<li>${icon('check')}${wordsFor(each, strings)}</li>`)}</ul></section>
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

function messageHtml({ bindingMessage, strings }: View & Question, client: Html): Part {
  if (bindingMessage === undefined) return false
  const size = bindingMessage.length > maxLargeMessage ? 'code long' : 'code'
  const message = html`<p class="${size}"><bdi>${bindingMessage}</bdi></p>`
  return html`<section class="message"><p>${fill(strings.compare, { client })}</p>${message}</section>`
}

function choicesHtml(choices: readonly string[], strings: PageStrings, client: Html): Html {
  const legend = html`<legend>${fill(strings.choose, { client })}</legend>`
  return html`<fieldset class="message" aria-describedby="choose">${legend}
${choices.map(choiceHtml)}
<p class="hint" id="choose">${strings.chooseHint}</p></fieldset>`
}

function choiceHtml(choice: string): Html {
  const radio = html`<input type="radio" name="choice" value="${choice}" required>`
  return html`<label class="choice">${radio}<bdi>${choice}</bdi></label>`
}

/** When and where the request was made. */
function factsHtml({ strings, locale, requestedAt, now, place }: View & Question, times: Times): Html {
  const asked = `${times.relative(requestedAt, now, locale)} · ${times.clock(requestedAt, now, locale)}`
  const when = html`<time datetime="${new Date(requestedAt).toISOString()}">${asked}</time>`
  return html`<dl class="facts">
<div><dt>${strings.asked}</dt><dd>${when}</dd></div>
${place !== undefined && rowHtml([strings.place, place])}
</dl>`
}

function detailsHtml(view: View & Question, words: Readonly<Record<string, DetailWords>>): Part {
  const cards = (view.authorizationDetails ?? []).map((detail) => cardOf(detail, view.locale, words))
  if (cards.length === 0) return false
  return html`<section class="part"><h2>${view.strings.details}</h2>
${cards.map(cardHtml)}</section>`
}

function cardHtml({ title, rows }: DetailCard): Html {
  return html`<div class="card"><h3>${title}</h3><dl>${rows.map(rowHtml)}</dl></div>`
}

function rowHtml([label, value]: readonly [string, string]): Html {
  return html`<div><dt>${label}</dt><dd><bdi>${value}</bdi></dd></div>`
}

function wordsFor(scope: string, strings: PageStrings): Part {
  return Object.hasOwn(strings.scopes, scope) ? strings.scopes[scope] : fill(strings.otherScope, { scope })
}
