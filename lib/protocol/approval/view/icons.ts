import type { PageState } from '../../../contracts/page.ts'
import { Html, html } from '../../../core/html.ts'

const strokes = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  flag: 'M6 21V4h11l-2 4 2 4H6',
  clock: 'M12 7v5l3.5 2M12 3a9 9 0 100 18 9 9 0 000-18z',
  question: 'M9 9a3 3 0 115 2.2c-1.2 1-2 1.5-2 2.8M12 18v.01',
  lock: 'M7 11V8a5 5 0 0110 0v3M5.5 11h13v9h-13z',
  alert: 'M12 6v8M12 18v.01',
} as const

const outline = new Html(
  'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"',
)

/** A drawing that screen readers leave out: the words beside it say the same. */
export function icon(name: keyof typeof strokes): Html {
  return html`<svg viewBox="0 0 24 24" ${outline} aria-hidden="true"><path d="${strokes[name]}"/></svg>`
}

/** The drawing of every page that asks nothing. */
export const stateIcons: Readonly<Record<Exclude<PageState, 'ask'>, keyof typeof strokes>> = {
  approved: 'check',
  denied: 'cross',
  reported: 'flag',
  answered: 'check',
  expired: 'clock',
  unknown: 'question',
  wrong_user: 'lock',
  signed_out: 'lock',
  step_up: 'lock',
  error: 'alert',
}
