import type { KeyObject } from 'node:crypto'
import type { Request } from 'express'
import type { Pair } from '../contracts/approval.ts'
import type { Channel } from '../contracts/channel.ts'
import type { ClientMetadata, Jwk } from '../contracts/clients.ts'
import type { PageOptions } from '../contracts/options.ts'
import type { DetailWords, LocationQuery } from '../contracts/page.ts'
import type { DeliveryQueue, Undelivered } from '../contracts/queue.ts'
import type { Answer, RequestRecord } from '../contracts/request.ts'
import type { LoginNeed, SessionUser } from '../contracts/session.ts'
import type { BackchannelStore } from '../contracts/store.ts'
import type { Telemetry } from '../contracts/telemetry.ts'
import type { DetailType, Grant, Introspection, IssuedTokens, Resource } from '../contracts/tokens.ts'
import type { Hint, User } from '../contracts/users.ts'
import type { Client, RegisteredClient } from './client.ts'
import type { SigningKeys } from './crypto/signingKeys.ts'
import type { Vault } from './crypto/vault.ts'
import type { Emit } from './events.ts'
import type { Call, ShownCertificate } from './http/call.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { AskSettings, ProfileRules, Settings, Urls } from './settings.ts'

/**
 * What every step of asking the user stands on: limits, notices, the page, the decision. It is built once, in
 * `compose.ts`, frozen, and holds nothing of a request. Whatever the host plugged in is here behind its guard: an
 * outage of it rejects with `temporarily_unavailable`, and a result of the wrong shape with a TypeError.
 */
export interface AskContext {
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly emit: Emit
  readonly telemetry: Telemetry | undefined
  /** The store as this issuer sees it. */
  readonly store: BackchannelStore
  readonly vault: Vault
  readonly settings: AskSettings
  readonly urls: Urls
  readonly users: GuardedUsers
  /** Absent: there is no approval page. */
  readonly session: GuardedSession | undefined
  readonly channels: readonly Channel[]
  readonly clients: ClientDirectory
  readonly hooks: AskHooks
  readonly budgets: Budgets
  readonly background: Background
  readonly outcomes: Outcomes
  /** Ids of requests whose decision got no reply from the store: it may be stored, and its effects are missing then. */
  readonly unsettled: Set<string>
}

/** What serving clients stands on besides: authentication, tokens, notification. */
export interface Context extends AskContext {
  readonly settings: Settings
  readonly rules: ProfileRules
  /** Absolute URLs over mutual TLS; the usual ones where there are no others. */
  readonly mtlsUrls: Urls
  /** The alias over mutual TLS by the URL without it, for the endpoints that clients call. */
  readonly aliases: ReadonlyMap<string, string>
  readonly clients: ClientDirectory<RegisteredClient>
  readonly tokenHooks: TokenHooks
  /** The client's certificate on a connection, if it showed one. */
  certificateOf(req: Request): ShownCertificate | undefined
  readonly signingKeys: SigningKeys
  readonly clientKeys: ClientKeys
  readonly outbound: Outbound
  readonly queue: DeliveryQueue
  /** Absent: every poll is answered at once. */
  readonly longPoll: LongPoll | undefined
  /** Pushed tokens that are being made: callers at the same time share one minting, by the id of the request. */
  readonly mintings: Map<string, Promise<Readonly<Record<string, unknown>> | undefined>>
}

/** Finds clients. */
export interface ClientDirectory<Kind extends Client = Client> {
  /** `undefined`: no such client. */
  find(clientId: string): Promise<Kind | undefined>
}

/** The host's users, behind their guard. `null` counts as absent, and a `sub` is 1 to 255 visible ASCII characters. */
export interface GuardedUsers {
  find(hint: Hint, client: ClientMetadata): Promise<User | undefined>
  /** Yes where the host has no such hook. */
  isActive(sub: string): Promise<boolean>
  /** None where the host has no such hook. */
  claims(sub: string, scope: readonly string[], names: readonly string[]): Promise<Readonly<Record<string, unknown>>>
  /** Does the host give claims at all? */
  readonly hasClaims: boolean
  /** Yes where the host has no such hook. */
  needsUserCode(user: User, client: ClientMetadata): Promise<boolean>
  checkUserCode(user: User, userCode: string): Promise<boolean>
  /** Absent: `login_hint_token` is not supported. */
  readonly readHintToken: ((token: string, client: ClientMetadata) => Promise<Hint | undefined>) | undefined
}

/** The host's login, behind its guard. */
export interface GuardedSession {
  current(req: Request): Promise<SessionUser | undefined>
  loginUrl(returnTo: string, need: LoginNeed): string
  /** Absent: there is no completion endpoint. */
  readonly verifyToken: ((token: string) => Promise<SessionUser | undefined>) | undefined
}

/** The host's other hooks around asking the user, behind their guard. */
export interface AskHooks {
  /** Names of the channels a client may use. Absent, or `undefined`: all. */
  readonly channelsFor: ((client: ClientMetadata) => readonly string[] | undefined) | undefined
  /** What is wrong with a binding message. Absent: `settings.requests.bindingMessage` names one of our own policies. */
  readonly bindingMessage: ((message: string) => string | undefined) | undefined
  /** The types of `authorization_details` on offer. */
  readonly detailTypes: ReadonlyMap<string, DetailType>
  /** Where a request comes from, in words. `undefined` also where the hook fails: the page is shown without it. */
  place(query: LocationQuery): Promise<string | undefined>
  readonly template: PageOptions['template']
  readonly details: Readonly<Record<string, DetailWords>>
  /** Tells the host of an answer. Never throws. */
  onAnswer(request: string, answer: Answer): void
  /** Tells the host of a ping or push that was given up. Never rejects. */
  onUndelivered(undelivered: Undelivered): Promise<void>
}

/** The host's part in making tokens, behind its guard. */
export interface TokenHooks {
  /** Absent: tokens are made here. */
  readonly issue: ((grant: Grant) => Promise<IssuedTokens>) | undefined
  /** `undefined`: a JWT is made. */
  accessToken(grant: Grant): Promise<string | undefined>
  /** Absent: grants of `offline_access` get a refresh token. */
  readonly issueRefreshToken: ((grant: Grant) => Promise<boolean>) | undefined
  /** Absent: a client may look at its own tokens, and at those that are for it. */
  readonly mayIntrospect: ((client: ClientMetadata, token: Introspection) => Promise<boolean>) | undefined
  /** An API that is served here, by its URI. */
  resource(uri: string, client: ClientMetadata): Promise<Resource | undefined>
  /** How long tokens of this client live, unless the approval says otherwise. */
  lifetimeSeconds(token: 'idToken' | 'accessToken' | 'refreshToken', client: ClientMetadata): number
}

/** What is counted. The names are those of the options and events, where there is one. */
export type BudgetName =
  | 'requestsPerClient'
  | 'promptsPerUser'
  | 'promptsPerClientAndUser'
  | 'noticesPerDestination'
  | 'noticesPerDestinationAndDay'
  | 'failedHintsPerClient'
  | 'failedAuthentications'
  /** Open requests of users who do not exist, whom the store does not count. */
  | 'unknownUsers'
  | 'userCodes'
  /** How often a user has denied a client. */
  | 'denials'
  /** The wait that follows from denials. */
  | 'coolDowns'
  /** "I did not start this". */
  | 'blocks'

/** A budget with nothing left. */
export interface Exhausted {
  readonly name: BudgetName
  /** Milliseconds until there is something again. */
  readonly retryAfterMs: number
}

/** What is counted under: text, or a client and a user whom it asks. */
export type BudgetKey = string | Pair

/** The host's counters, behind their guard. A budget that is switched off is never exhausted. */
export interface Budgets {
  /**
   * Takes a point of each, in this order, up to the first that has none left. `look`: takes nothing of this one.
   * Not for `userCodes` and `blocks`, which hold where all other budgets are switched off.
   */
  take(
    ...points: readonly (readonly [name: BudgetName, key: BudgetKey, how?: 'look'])[]
  ): Promise<Exhausted | undefined>
  /** The milliseconds until there is a point again; `undefined` when there is one. Takes nothing. */
  retryAfterMs(name: BudgetName, key: BudgetKey): Promise<number | undefined>
  /** Takes a point, and tells how many were taken in all. */
  count(name: BudgetName, key: BudgetKey): Promise<number>
  /** Leaves nothing for so many seconds. */
  block(name: BudgetName, key: BudgetKey, seconds: number): Promise<void>
  /** Gives everything back. `false`: nothing was taken. */
  clear(name: BudgetName, key: BudgetKey): Promise<boolean>
  has(name: BudgetName): boolean
  /** Client authentications that failed in this process: all others cost no look-up. */
  readonly failedCallers: Set<string>
}

/** Work that is not awaited: notices, and telling clients of answers. */
export interface Background {
  /** Runs a task; an error in it becomes an event. */
  run(task: () => Promise<void>): void
  /** Resolves after so many milliseconds; `false` when the engine is closing instead. */
  wait(ms: number): Promise<boolean>
  /** Gives up waiting, and resolves when no task is under way. */
  close(): Promise<void>
}

/** How the part that serves the client, ours or another server, learns what became of its requests. */
export interface Outcomes {
  /** Keeps what it takes to tell of an answer to come. Rejects when it cannot. */
  keep(record: RequestRecord): Promise<void>
  /** Tells of a stored answer, not awaited. Never throws, and may be called again for the same answer. */
  announce(record: RequestRecord): void
}

/** The clients' own public keys, from `jwks` or `jwks_uri`. Keys, URLs and certificates in a header are never used. */
export interface ClientKeys {
  /** The keys that fit a JWS header, imported. A key that cannot be imported is no key. */
  verificationKeys(
    client: Client,
    header: { readonly alg: string; readonly kid: string | undefined },
  ): Promise<readonly KeyObject[]>
  /**
   * The keys with a property, not imported. When none has it, the client's `jwks_uri` may hold newer ones.
   * @throws BackchannelError `temporarily_unavailable` when the `jwks_uri` has never answered.
   */
  findKeys(client: Client, wanted: (key: Jwk) => boolean): Promise<readonly Jwk[]>
}

/** What ends the waiting of a held poll. `away`: its client is gone, or this process goes. */
export type HoldEnd = 'answered' | 'time' | 'away'

/** The place of one held poll. */
export interface HeldPollSlot {
  /** Milliseconds that the poll may be held. */
  readonly holdMs: number
  /** Waits for the answer, for `ms` at most. One that came before, since the slot was taken, ends it at once. */
  wait(ms: number): Promise<HoldEnd>
  /** Was it ended for being `away`? */
  isAway(): boolean
  leave(): void
}

/** Polls that are held open until the user has answered (CIBA Core 10.1). */
export interface LongPoll {
  /**
   * Takes a slot, before the store is asked: no answer can fall in between. `undefined`: this poll cannot be held, as
   * nothing would tell that its client went away, or all slots are taken.
   */
  enter(call: Call, request: string, clientId: string): HeldPollSlot | undefined
  /** A request was answered here: wakes those who wait for it, in every process. Rejects when the others may not know. */
  answered(request: string): Promise<void>
  /** Ends every held poll as `away`, and resolves when none is left. */
  close(): Promise<void>
}
