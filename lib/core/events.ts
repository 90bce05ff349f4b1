import { aside } from './callHook.ts'
import type { ErrorCode } from './errors.ts'
import type { DeliveryMode } from './request.ts'

/** Members that every event about a stored request has. `request` is its public id: no secret, no handle. */
interface AboutRequest {
  readonly request: string
  readonly clientId: string
}

/**
 * What happens, as data. No event carries a secret, a token, a handle, a hint, a message or an address.
 * `cause` is what was thrown underneath; it is for the host's own log.
 */
export type BackchannelEvent =
  | ({ readonly type: 'request.accepted'; readonly deliveryMode: DeliveryMode; readonly sub?: string } & AboutRequest)
  | {
      readonly type: 'request.refused'
      readonly clientId?: string
      readonly error: ErrorCode
      readonly cause?: unknown
    }
  | ({ readonly type: 'notice.sent'; readonly channel: string; readonly messageId?: string } & AboutRequest)
  | ({
      readonly type: 'notice.failed'
      readonly channel: string
      readonly failure: string
      readonly final: boolean
      readonly cause?: unknown
    } & AboutRequest)
  | ({ readonly type: 'link.opened' } & AboutRequest)
  | ({ readonly type: 'page.shown'; readonly sub: string } & AboutRequest)
  | ({ readonly type: 'user.mismatch'; readonly sub: string } & AboutRequest)
  | ({ readonly type: 'request.approved'; readonly sub: string } & AboutRequest)
  | ({ readonly type: 'request.denied'; readonly reason?: string } & AboutRequest)
  | ({ readonly type: 'request.not_me'; readonly sub?: string } & AboutRequest)
  | ({ readonly type: 'request.failed'; readonly reason?: string } & AboutRequest)
  | ({ readonly type: 'request.expired' } & AboutRequest)
  | ({ readonly type: 'poll.early'; readonly intervalSeconds: number } & AboutRequest)
  | ({ readonly type: 'request.redeemed'; readonly sub: string } & AboutRequest)
  | ({ readonly type: 'request.delivered'; readonly sub: string } & AboutRequest)
  | { readonly type: 'token.refused'; readonly clientId?: string; readonly error: ErrorCode; readonly cause?: unknown }
  | { readonly type: 'token.refreshed'; readonly clientId: string; readonly grant: string }
  | { readonly type: 'token.revoked'; readonly clientId: string; readonly grant?: string }
  | {
      readonly type: 'replay.seen'
      readonly clientId?: string
      readonly what: 'assertion' | 'request' | 'dpop' | 'auth_req_id' | 'refresh_token'
    }
  | ({
      readonly type: 'delivery.tried'
      readonly mode: 'ping' | 'push'
      readonly attempt: number
      readonly status?: number
    } & AboutRequest)
  | ({
      readonly type: 'delivery.failed'
      readonly mode: 'ping' | 'push'
      readonly attempt: number
      readonly reason: string
      readonly cause?: unknown
    } & AboutRequest)
  | ({ readonly type: 'delivery.endpoint_changed'; readonly mode: 'ping' | 'push' } & AboutRequest)
  | ({ readonly type: 'delivery.given_up'; readonly mode: 'ping' | 'push'; readonly reason: string } & AboutRequest)
  | { readonly type: 'limit.hit'; readonly limit: string; readonly clientId?: string; readonly sub?: string }
  | {
      readonly type: 'outage'
      readonly of: 'store' | 'users' | 'clients' | 'session' | 'limits' | 'queue' | 'tokens'
      readonly cause: unknown
    }
  | { readonly type: 'fault'; readonly cause: unknown }

/** The part of a logger that we use; pino, winston and console have it. */
export interface Logger {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export type Emit = (event: BackchannelEvent) => void

const levels: Partial<Record<BackchannelEvent['type'], 'warn' | 'error'>> = {
  'notice.failed': 'warn',
  'user.mismatch': 'warn',
  'request.not_me': 'warn',
  'replay.seen': 'warn',
  'delivery.failed': 'warn',
  'delivery.endpoint_changed': 'warn',
  'delivery.given_up': 'error',
  'limit.hit': 'warn',
  outage: 'error',
  fault: 'error',
}

/** One function that tells the host's hook and its logger. A hook that throws or rejects disturbs nobody. */
export function createEmit(
  onEvent: ((event: BackchannelEvent) => void) | undefined,
  logger: Logger | undefined,
  telemetry?: { event(event: BackchannelEvent): void },
): Emit {
  if (onEvent === undefined && logger === undefined && telemetry === undefined) return () => {}
  return (event) => {
    if (telemetry !== undefined) {
      aside(
        () => telemetry.event(event),
        (thrown) => log('error', { error: nameOf(thrown) }, 'express-ciba: telemetry threw'),
      )
    }
    if (onEvent !== undefined) {
      aside(
        () => onEvent(event),
        (thrown) => log('error', { error: nameOf(thrown) }, 'express-ciba: onEvent threw'),
      )
    }
    if (logger === undefined) return
    const { type } = event
    const fields = 'cause' in event ? { ...event, cause: nameOf(event.cause) } : event
    log(levels[type] ?? 'info', fields, `express-ciba: ${type}`)
  }

  function log(level: keyof Logger, fields: object, text: string): void {
    aside(
      () => logger?.[level](fields, text),
      () => {}, // there is nobody left to tell
    )
  }
}

/** An error's name and code. Never its text: drivers put URLs, addresses and values there. */
function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown
  const code = (thrown as { code?: unknown }).code
  return typeof code === 'string' || typeof code === 'number' ? `${thrown.name} ${code}` : thrown.name
}
