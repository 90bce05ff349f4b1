import type { DeliveryMode } from './clients.ts'
import type { ErrorCode } from './errors.ts'

/** A step of ours that may take time. The second half are calls of what the host plugged in. */
export type Step =
  | 'backchannel_authentication'
  | 'token'
  | 'revocation'
  | 'introspection'
  | 'approval_page'
  | 'completion'
  | 'notice_status'
  | 'channel'
  | 'delivery'
  | 'store'
  | 'users'
  | 'clients'
  | 'session'
  | 'limits'
  | 'queue'
  | 'tokens'
  | 'page'

/**
 * Watches what happens and how long it takes: `openTelemetry(api)` of `express-ciba/adapters/opentelemetry`, or your
 * own.
 * @example
 * ```ts
 * const telemetry: Telemetry = {
 *   async step(step, run) {
 *     const startedAt = performance.now()
 *     try {
 *       return await run()
 *     } finally {
 *       durations.record(performance.now() - startedAt, { step })
 *     }
 *   },
 *   event: ({ type }) => events.add(1, { type }),
 * }
 * ```
 */
export interface Telemetry {
  /** Runs the step and gives its result, or its failure, as it is. */
  step<T>(step: Step, run: () => Promise<T>): Promise<T>
  /** Takes what happened. */
  event(event: BackchannelEvent): void
}

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
  | ({
      readonly type: 'request.accepted'
      readonly deliveryMode: DeliveryMode
      readonly sub?: string | undefined
    } & AboutRequest)
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
      readonly of: 'store' | 'users' | 'clients' | 'session' | 'limits' | 'queue' | 'tokens' | 'channels' | 'page'
      readonly cause: unknown
    }
  | { readonly type: 'fault'; readonly cause: unknown }

/** The part of a logger that we use; pino, winston and console have it. */
export interface Logger {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}
