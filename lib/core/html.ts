const special = /[&<>"'`]/
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** Escapes text for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return special.test(text) ? text.replace(/[&<>"'`]/g, (each) => entities[each] ?? '') : text
}

/** Text that is HTML already. Made by `html` only, so nothing gets into a page unescaped. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
}

/** What a template may hold. Strings are escaped; `undefined` and `false` leave nothing. */
export type Part = Html | string | number | undefined | false | readonly Part[]

/**
 * The one way to HTML: html`<p>${text}</p>`. Every string is escaped for element content and quoted attributes alike;
 * always put quotes around attributes.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  let text = strings[0] ?? ''
  for (let index = 0; index < values.length; index++) text += write(values[index]) + (strings[index + 1] ?? '')
  return new Html(text)
}

function write(part: Part): string {
  if (part instanceof Html) return part.text
  if (typeof part === 'string') return escapeHtml(part)
  if (part === undefined || part === false) return ''
  if (typeof part === 'number') return String(part)
  let text = ''
  for (const each of part) text += write(each)
  return text
}

/** Puts parts in place of `{name}` in a sentence; everything else of the sentence is plain text. */
export function fill(sentence: string, parts: Readonly<Record<string, Part>>): Html {
  const pieces = sentence.split(/\{(\w+)\}/)
  return new Html(
    pieces
      .map((piece, index) =>
        index % 2 === 0 ? escapeHtml(piece) : piece in parts ? write(parts[piece]) : `{${piece}}`,
      )
      .join(''),
  )
}
