import type { BackchannelOptions } from './contracts/options.ts'
import { createBackground } from './core/background.ts'
import type { AskContext, ClientDirectory, Context, Outcomes } from './core/context.ts'
import { createSigningKeys } from './core/crypto/signingKeys.ts'
import { createVault } from './core/crypto/vault.ts'
import { createEmit, type Emit } from './core/events.ts'
import { guardAskHooks } from './core/guards/askHooks.ts'
import { guardChannels } from './core/guards/channels.ts'
import { createGuard, type Guard } from './core/guards/guard.ts'
import { guardQueue } from './core/guards/queue.ts'
import { guardSession } from './core/guards/session.ts'
import { guardStore } from './core/guards/store.ts'
import { guardTokenHooks } from './core/guards/tokenHooks.ts'
import { guardUsers } from './core/guards/users.ts'
import { createOutbound } from './core/outbound/outbound.ts'
import type { AskSettings } from './core/settings.ts'
import {
  channelsOf,
  clockOf,
  counterOf,
  defaultTimeoutSeconds,
  keysOf,
  queueOf,
  secretOf,
  storeOf,
} from './options/defaults.ts'
import { aliasesOf, urlsOf } from './options/paths.ts'
import { profiles } from './options/profiles.ts'
import { readAskOptions, readOptions } from './options/read.ts'
import type { AskOptions } from './options/schema.ts'
import { certificateReader } from './protocol/client/certificate.ts'
import { createClientKeys } from './protocol/client/jwks.ts'
import { createClientDirectory } from './protocol/client/metadata.ts'
import { createBudgets } from './protocol/limits/budgets.ts'
import { announce, keepJob, runDelivery } from './protocol/notification/notify.ts'
import { createLongPoll } from './protocol/token/longPoll.ts'

/** A context with its end. */
export interface Composed<Kind extends AskContext> {
  readonly context: Kind
  /** Calls what the host plugged in. */
  readonly guard: Guard
  /** Resolves when nothing is under way any more, and releases what the context holds. May be called again. */
  close(): Promise<void>
}

/** Another server that serves the clients: all that asking the user has to know of it. */
export interface ServedElsewhere {
  readonly clients: ClientDirectory
  readonly outcomes: Outcomes
  /** Ends it: called when no notice is under way any more, and before the store is closed. */
  close?(): Promise<void>
}

/** What everything else is built with. */
interface Tools {
  readonly clock: () => number
  readonly emit: Emit
  readonly guard: Guard
}

/**
 * Builds what asking the user stands on, for a server that serves the clients by itself. The functions of `elsewhere`
 * are called when requests come, and may use the context.
 * @throws TypeError that names the option and the remedy.
 */
export function composeAsk(options: AskOptions, elsewhere: ServedElsewhere): Composed<AskContext> {
  const settings = readAskOptions(options)
  const tools = createTools(options)
  const secret = secretOf(options, [])
  const context = askContext(options, settings, tools, secret, elsewhere.clients, elsewhere.outcomes)
  const close = async (): Promise<void> => {
    await context.background.close()
    await elsewhere.close?.()
    await context.store.close?.()
  }
  return { context, guard: tools.guard, close: onlyOnce(close) }
}

/**
 * Builds everything that the engine stands on, and starts the delivery queue.
 * @throws TypeError that names the option and the remedy.
 */
export function compose(options: BackchannelOptions): Composed<Context> {
  const settings = readOptions(options)
  const tools = createTools(options)
  const { clock, emit, guard } = tools
  const rules = profiles[settings.profile]
  const keys = keysOf(options)
  const clients = createClientDirectory(options.clients, guard)
  const outcomes: Outcomes = {
    keep: (record) => keepJob(context, record),
    announce: (record) => announce(context, record),
  }
  const ask = askContext(options, settings, tools, secretOf(options, keys.keys), clients, outcomes)
  const signingKeys = createSigningKeys(keys, rules.algs)
  const outbound = createOutbound(settings.delivery.outbound)
  const queue = guardQueue(queueOf(options), guard)
  const longPoll = createLongPoll(settings.polling, ask.store, clock)
  const mtlsUrls = options.mtlsBaseUrl === undefined ? ask.urls : urlsOf(options.mtlsBaseUrl, settings.paths)

  const context: Context = Object.freeze({
    clock,
    emit,
    telemetry: ask.telemetry,
    store: ask.store,
    vault: ask.vault,
    settings,
    urls: ask.urls,
    users: ask.users,
    session: ask.session,
    channels: ask.channels,
    clients,
    hooks: ask.hooks,
    budgets: ask.budgets,
    background: ask.background,
    outcomes,
    unsettled: ask.unsettled,
    rules,
    mtlsUrls,
    aliases: aliasesOf(ask.urls, mtlsUrls),
    tokenHooks: guardTokenHooks(options.tokens ?? {}, options.requests?.resources, guard),
    certificateOf: certificateReader(options.clientAuth?.getCertificate, guard),
    signingKeys,
    clientKeys: createClientKeys(clock, (url) => outbound.getJson(url)),
    outbound,
    queue,
    longPoll,
    mintings: new Map(),
  })
  queue.start(
    (job, attempt) => runDelivery(context, job, attempt),
    (cause) => emit({ type: 'outage', of: 'queue', cause }),
  )
  const close = async (): Promise<void> => {
    await longPoll?.close()
    await context.background.close()
    await queue.close()
    await outbound.close()
    await context.store.close?.()
  }
  return { context, guard, close: onlyOnce(close) }
}

function createTools(options: AskOptions): Tools {
  const { telemetry, timeoutSeconds = defaultTimeoutSeconds } = options
  const emit = createEmit(options.onEvent, options.logger, telemetry)
  return {
    clock: clockOf(options),
    emit,
    guard: createGuard({ emit, telemetry, timeoutMs: Math.ceil(timeoutSeconds * 1000) }),
  }
}

function askContext(
  options: AskOptions,
  settings: AskSettings,
  { clock, emit, guard }: Tools,
  secret: Uint8Array,
  clients: ClientDirectory,
  outcomes: Outcomes,
): AskContext {
  return Object.freeze({
    clock,
    emit,
    telemetry: options.telemetry,
    store: guardStore(storeOf(options, clock), guard, settings.issuer),
    vault: createVault(secret),
    settings,
    urls: urlsOf(options.baseUrl ?? settings.issuer, settings.paths),
    users: guardUsers(options.users, options.requests?.loginHintToken, guard),
    session: options.session === undefined ? undefined : guardSession(options.session, guard),
    channels: guardChannels(channelsOf(options), guard, emit),
    clients,
    hooks: guardAskHooks(options, guard, emit),
    budgets: createBudgets(settings.limits, counterOf(options), guard, settings.requests.expirySeconds),
    background: createBackground(emit),
    outcomes,
    unsettled: new Set<string>(),
  })
}

function onlyOnce(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () => {
    closed ??= close()
    return closed
  }
}
