import type { BackchannelOptions } from '../contracts/options.ts'
import type { AskContext, Context } from '../core/context.ts'
import { metadataOf } from '../protocol/token/discovery.ts'
import { addresses } from './addresses.ts'
import { type HostApp, mounting, proxy } from './app.ts'
import { channels, clock, limits, madeSecret, secret, session, store } from './askChecks.ts'
import type { Finding } from './check.ts'
import { type Check, findingsOf } from './check.ts'
import { client, issuer, keys } from './clientChecks.ts'

export type { HostApp } from './app.ts'
export type { Finding } from './check.ts'

/** What the doctor looks at besides the options of the engine. */
export interface DoctorOptions {
  /** Clients whose registered metadata is to be checked. Defaults to none. */
  readonly clientIds?: readonly string[]
  /**
   * Your Express app with the router in it. It is called on a loopback port of its own: is the router where the options
   * say, and is `trust proxy` set for a proxy alone? Without it neither is checked.
   */
  readonly app?: HostApp
}

/** What the host has set by itself: the settings have the defaults in their place. */
type AskOptions = Pick<BackchannelOptions, 'issuer' | 'baseUrl' | 'mtlsBaseUrl' | 'secret' | 'store' | 'limits'>

/** Checks everything that can be checked without a client or a user. Sends no notice, and never rejects. */
export function examine(
  ctx: Context,
  options: BackchannelOptions,
  { clientIds = [], app }: DoctorOptions = {},
): Promise<readonly Finding[]> {
  return findingsOf([
    ['issuer', () => issuer(ctx)],
    ['address', () => addresses(options)],
    ['keys', () => keys(options)],
    ['secret', () => secret(options)],
    ...checksOfAsking(ctx, options),
    ...appChecks(ctx, app, metadataOf(ctx)),
    ...clientIds.map((id): Check => [`client ${id}`, () => client(ctx, options, id)]),
  ])
}

/** The same where another server serves the clients: issuer, keys, clients and discovery document are not checked. */
export function examineAsking(
  ctx: AskContext,
  options: AskOptions,
  { app }: Pick<DoctorOptions, 'app'> = {},
): Promise<readonly Finding[]> {
  return findingsOf([
    ['address', () => addresses(options)],
    ['secret', () => madeSecret(options)],
    ...checksOfAsking(ctx, options),
    ...appChecks(ctx, app, undefined),
  ])
}

function checksOfAsking(ctx: AskContext, options: AskOptions): readonly Check[] {
  return [
    ['store', () => store(ctx, options)],
    ['channels', () => channels(ctx)],
    ['session', () => session(ctx)],
    ['limits', () => limits(options)],
    ['clock', () => clock(ctx)],
  ]
}

function appChecks({ urls }: AskContext, app: HostApp | undefined, metadata: object | undefined): readonly Check[] {
  if (app === undefined) return []
  return [
    ['mount', () => mounting(app, urls, metadata)],
    ['proxy', () => [proxy(app, urls)]],
  ]
}
