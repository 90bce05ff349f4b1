import type { AuthorizationDetail } from '../../../core/request.ts'
import type { ClosedState } from './state.ts'
import type { PageStrings } from './texts.ts'

/** What a page is about. Everything is plain text, as it came; rendering escapes it. */
export type Page = Ask | SignedOut | { readonly state: ClosedState }

/** A page with all that a template needs to say it. */
export type View = Page & {
  /** BCP 47 tag of the language chosen. */
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  /** Host name of the login server. */
  readonly domain: string
  /** Every sentence, in that language. */
  readonly strings: PageStrings
}

/** The user has to sign in before they can answer: `signed_out`, or their login is too old or too weak: `step_up`. */
export interface SignedOut {
  readonly state: 'signed_out' | 'step_up'
  /** Where to. */
  readonly signInUrl: string
}

/** The question itself. */
export interface Ask {
  readonly state: 'ask'
  readonly clientName: string
  /** Shown when it is an https URL. */
  readonly logoUri?: string
  readonly bindingMessage?: string
  /** Several messages of which one is the binding message: the user has to pick it. Takes the place of showing it. */
  readonly choices?: readonly string[]
  readonly scope: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** Epoch milliseconds. */
  readonly requestedAt: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Epoch milliseconds: the time of this page, from which the others are told. */
  readonly now: number
  /** Where the request comes from, in words. */
  readonly place?: string
  /**
   * Where the form posts to. Fields: `csrf`, `action` (`approve`, `deny` or `not_me`), and with `choices` the picked
   * message as `choice`.
   */
  readonly action: string
  /** Value of the hidden field `csrf`. */
  readonly csrf: string
}
