import type { AuthorizationDetail } from './request.ts'

/**
 * `approved`, `denied`, `reported`: the user's own answer. `answered`: no answer is wanted any more.
 * `expired`, `unknown`, `wrong_user`, `error`: nothing can be answered here.
 */
export type ClosedState =
  | 'approved'
  | 'denied'
  | 'reported'
  | 'answered'
  | 'expired'
  | 'unknown'
  | 'wrong_user'
  | 'error'

/** What a page can be about. */
export type PageState = 'ask' | 'signed_out' | 'step_up' | ClosedState

/** The sentences of the page in one language. Each may be replaced. `{client}` and the like are filled in. */
export interface PageStrings {
  /** `{client}` asks: the heading. */
  readonly asks: string
  /** Title of the window while asking. */
  readonly title: string
  /** Before the binding message: `{client}` shows the same. */
  readonly compare: string
  /** Before the choices: which of these does `{client}` show? */
  readonly choose: string
  /** What a wrong choice does. */
  readonly chooseHint: string
  /** Label of the time. */
  readonly asked: string
  /** Label of the place. */
  readonly place: string
  /** Before the list of scopes: what `{client}` may do. */
  readonly grants: string
  /** Before the authorization details. */
  readonly details: string
  /** A scope value that has no description: `{scope}`. */
  readonly otherScope: string
  /** Scope values in words. */
  readonly scopes: Readonly<Record<string, string>>
  readonly approve: string
  readonly deny: string
  readonly notMe: string
  /** What the button above does, with `{client}`. */
  readonly notMeHint: string
  /** The rule that protects the user. */
  readonly caution: string
  /** The request ends `{when}`. */
  readonly ends: string
  /** On the button of a visitor who is signed out. */
  readonly signIn: string
  /** Heading and sentence of every page that asks nothing. */
  readonly closed: Readonly<
    Record<ClosedState | 'signed_out' | 'step_up', readonly [heading: string, sentence: string]>
  >
}

/** Sentences by language, to replace some of them or to add a language. */
export type PageTexts = Readonly<Record<string, PartialStrings>>

type PartialStrings = Partial<Omit<PageStrings, 'scopes' | 'closed'>> & {
  readonly scopes?: Readonly<Record<string, string>>
  readonly closed?: Partial<PageStrings['closed']>
}

/** Colours of the page as CSS values. Each has a default for light and dark. */
export interface ThemeColors {
  /** Behind the approve button, and links. */
  readonly accent?: string
  /** On `accent`. */
  readonly onAccent?: string
  /** Behind the deny button: at least as strong as `accent`. */
  readonly strong?: string
  /** On `strong`. */
  readonly onStrong?: string
  /** Behind everything. */
  readonly page?: string
  /** Behind the question. */
  readonly card?: string
  /** Behind the binding message. */
  readonly soft?: string
  /** Text. */
  readonly ink?: string
  /** Quieter text. */
  readonly quiet?: string
  /** Borders. */
  readonly line?: string
}

/** The look of the page: these, and its colours where the visitor's device is light. */
export interface Theme extends ThemeColors {
  /** Colours where the visitor's device is dark. Defaults to the built-in dark colours, with `accent` as they are. */
  readonly dark?: ThemeColors
  /** `font-family`. Defaults to the device's own. */
  readonly font?: string
  /** `border-radius` of the card. Defaults to `16px`. */
  readonly radius?: string
}

/** One element of `authorization_details`, in words. */
export interface DetailCard {
  readonly title: string
  readonly rows: readonly (readonly [label: string, value: string])[]
}

/**
 * Puts one type of authorization details into words. What it leaves out, the user does not see and still approves.
 * @example
 * ```ts
 * const payment: DetailWords = ({ detail }) => ({
 *   title: 'Payment',
 *   rows: [['Amount', `${detail.amount} EUR`], ['To', String(detail.iban)]],
 * })
 * ```
 */
export type DetailWords = (query: { readonly detail: AuthorizationDetail; readonly locale: string }) => DetailCard

/** Where a request comes from, for `page.place`. */
export interface LocationQuery {
  readonly clientId: string
  /** The request's public id, as in events. */
  readonly request: string
  /** `request_context` as the client sent it. */
  readonly context: Readonly<Record<string, unknown>>
}

/** What a page is about. Everything is plain text, as it came; rendering escapes it. */
export type Page = Question | SignedOut | { readonly state: ClosedState }

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
export interface Question {
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
