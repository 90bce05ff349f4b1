import type { Awaitable } from '../../contracts/contracts.ts'
import type { DetailWords } from './view/details.ts'
import type { View } from './view/model.ts'
import type { Theme } from './view/style.ts'
import type { PageTexts } from './view/texts.ts'

/** Where a request comes from, for `page.place`. */
export interface PlaceQuestion {
  readonly clientId: string
  /** The request's public id, as in events. */
  readonly request: string
  /** `request_context` as the client sent it. */
  readonly context: Readonly<Record<string, unknown>>
}

/** How the approval page looks and what it says. Everything has a default. */
export interface PageOptions {
  /**
   * Sentences by language, to replace some or to add a language: `{ en: { approve: 'Yes, it is me' } }`.
   * Scopes of your own go into `scopes`. Built in: en, fr, de, es, pt, ja.
   */
  readonly texts?: PageTexts
  /** Colours, font and radius as CSS values. */
  readonly theme?: Theme
  /**
   * Writes the whole document in place of the built-in one. Escape what you put into it. The policy then allows style
   * sheets, fonts and images of your own origin; scripts stay forbidden.
   */
  readonly template?: (view: View) => string
  /** Show a client's `logo_uri` (https only)? Its server then learns when a user is asked. Defaults to `false`. */
  readonly logos?: boolean
  /** IANA name of the time zone that times are told in, such as `Europe/Berlin`. Defaults to `UTC`. */
  readonly timeZone?: string
  /** Puts authorization details into words, by type. Types without an entry show every member as it is. */
  readonly details?: Readonly<Record<string, DetailWords>>
  /** Says in words where a request comes from. Defaults to saying nothing. The page is shown without it when it fails. */
  readonly place?: (question: PlaceQuestion) => Awaitable<string | undefined>
  /**
   * The user picks the binding message out of three instead of only seeing it; a wrong pick denies. Applies to messages
   * with digits in them. Defaults to `false`.
   */
  readonly choices?: boolean
}
