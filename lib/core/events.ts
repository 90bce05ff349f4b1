import type { BackchannelEvent, Logger } from '../contracts/telemetry.ts'
import { asBackchannelError, BackchannelError } from './errors.ts'

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

/**
 * One function that tells telemetry, the host's hook and its logger of an event. What one of them throws is logged, and
 * has no other effect.
 */
export function createEmit(
  onEvent: ((event: BackchannelEvent) => void) | undefined,
  logger: Logger | undefined,
  telemetry?: { event(event: BackchannelEvent): void },
): Emit {
  if (onEvent === undefined && logger === undefined && telemetry === undefined) return () => {}
  return (event) => {
    if (telemetry !== undefined) {
      callHook(
        () => telemetry.event(event),
        (thrown) => log('error', { error: nameOf(thrown) }, 'express-ciba: telemetry threw'),
      )
    }
    if (onEvent !== undefined) {
      callHook(
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
    callHook(
      () => logger?.[level](fields, text),
      () => {}, // the logger itself fails: there is nowhere to say so
    )
  }
}

/** Emits what we do not know. A refusal, and an outage, was reported where it happened. */
export function reportFault(emit: Emit, thrown: unknown): void {
  if (!(thrown instanceof BackchannelError)) emit({ type: 'fault', cause: thrown })
}

/** Anything thrown, as the error that the client is told. What we do not know is emitted besides. */
export function errorOf(emit: Emit, thrown: unknown): BackchannelError {
  reportFault(emit, thrown)
  return asBackchannelError(thrown)
}

/** An error's name and code. Never its text: drivers put URLs, addresses and values there. */
function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown
  const code = (thrown as { code?: unknown }).code
  return typeof code === 'string' || typeof code === 'number' ? `${thrown.name} ${code}` : thrown.name
}

/**
 * Calls a hook of the host's that is not awaited. It may be an async function all the same: a rejection that is not
 * handled would end the process.
 */
export function callHook(hook: () => unknown, failed: (thrown: unknown) => void): void {
  try {
    const result = hook()
    if (result instanceof Promise) result.catch(failed)
  } catch (thrown) {
    failed(thrown)
  }
}
