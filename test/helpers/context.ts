import { type BackchannelEvent, type BackchannelOptions, memoryStore } from 'express-ciba'
import { compose } from '../../lib/compose.ts'
import type { Context } from '../../lib/core/context.ts'
import { clients, users } from './host.ts'
import { privateJwk } from './tokens.ts'

export const issuer = 'https://login.example.com'

/** A context that keeps everything that happened, in order. */
export type WatchedContext = Context & { readonly events: BackchannelEvent[] }

/**
 * The context of an engine with these options: what the steps in `lib/` take. The store is in memory, the logger silent,
 * and nothing is limited. To replace a member, spread it: `{ ...contextFor(), outbound }`.
 */
export function contextFor(options: Partial<BackchannelOptions> = {}): WatchedContext {
  const { clock = Date.now } = options
  const events: BackchannelEvent[] = []
  const { context } = compose({
    issuer,
    clients: { find: ({ clientId }) => clients.find((client) => client.client_id === clientId) },
    users: { find: ({ hint }) => users.find((user) => user.sub === hint.value) },
    store: memoryStore({ clock }),
    keys: { keys: [privateJwk('P-256')] },
    limits: false,
    logger: { info() {}, warn() {}, error() {} },
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { ...context, events }
}
