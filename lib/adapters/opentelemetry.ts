import type { BackchannelEvent, Step, Telemetry } from '../contracts/telemetry.ts'

type Attributes = Record<string, string | number | boolean>

/** What is used of a span of `@opentelemetry/api`. */
interface Span {
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { code: number }): unknown
  end(): void
}

/** What is used of `@opentelemetry/api` 1. */
export interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): {
      startActiveSpan<T>(name: string, options: { attributes?: Attributes }, run: (span: Span) => T): T
    }
  }
  readonly metrics: {
    getMeter(name: string): {
      createCounter(name: string, options: object): { add(value: number, attributes: Attributes): void }
      createHistogram(name: string, options: object): { record(value: number, attributes: Attributes): void }
    }
  }
}

const instrumentation = 'express-ciba'
/** `SpanStatusCode.ERROR` */
const errorStatus = 2

/** Members of events that have few values, by the attribute of the metric that they become. */
const countable = Object.entries({
  deliveryMode: 'ciba.delivery_mode',
  mode: 'ciba.delivery_mode',
  error: 'error.type',
  channel: 'ciba.channel',
  failure: 'ciba.failure',
  status: 'http.response.status_code',
  what: 'ciba.replayed',
  limit: 'ciba.limit',
  of: 'ciba.part',
})

/**
 * Spans and metrics through `@opentelemetry/api`, which is passed in.
 *
 * Spans `ciba <step>`, such as `ciba token` with `ciba store` inside; the counter `ciba.events`; the histogram
 * `ciba.step.duration` in seconds. None carries a user, a client's secret, a handle, a hint or a message.
 * @throws TypeError when it is not the module.
 * @example
 * ```ts
 * import * as api from '@opentelemetry/api'
 * import { openTelemetry } from 'express-ciba/adapters/opentelemetry'
 *
 * createBackchannelRouter({ issuer, clients, users, telemetry: openTelemetry(api) })
 * ```
 */
export function openTelemetry(api: OpenTelemetryApi): Telemetry {
  if (typeof api?.trace?.getTracer !== 'function' || typeof api.metrics?.getMeter !== 'function') {
    throw new TypeError('express-ciba: openTelemetry needs the module: import * as api from "@opentelemetry/api"')
  }
  const tracer = api.trace.getTracer(instrumentation)
  const meter = api.metrics.getMeter(instrumentation)
  const events = meter.createCounter('ciba.events', { description: 'Events of express-ciba, by type' })
  const durations = meter.createHistogram('ciba.step.duration', {
    description: 'How long the steps of express-ciba take',
    unit: 's',
  })

  return {
    step<T>(step: Step, run: () => Promise<T>): Promise<T> {
      const attributes = { 'ciba.step': step }
      const began = performance.now()
      const ended = (span: Span, error?: unknown) => {
        const outcome = error === undefined ? attributes : { ...attributes, 'error.type': typeOf(error) }
        span.setAttributes(outcome)
        if (error !== undefined && !isRefusal(error)) span.setStatus({ code: errorStatus })
        durations.record((performance.now() - began) / 1000, outcome)
        span.end()
      }
      return tracer.startActiveSpan(`ciba ${step}`, { attributes }, async (span) => {
        try {
          const result = await run()
          ended(span)
          return result
        } catch (thrown) {
          ended(span, thrown)
          throw thrown
        }
      })
    },

    event(event: BackchannelEvent): void {
      const attributes: Attributes = { 'ciba.event': event.type }
      for (const [name, attribute] of countable) {
        const value: unknown = (event as Readonly<Record<string, unknown>>)[name]
        if (typeof value === 'string' || typeof value === 'number') attributes[attribute] = value
      }
      events.add(1, attributes)
    },
  }
}

/** The error code of a refusal, the name of everything else. Never a text: drivers put addresses and values there. */
function typeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown
  const { code } = thrown as { code?: unknown }
  return typeof code === 'string' ? code : thrown.name
}

/** An error of the client's is not a failure of this server. */
function isRefusal(thrown: unknown): boolean {
  const { status } = (thrown ?? {}) as { status?: unknown }
  return typeof status === 'number' && status < 500
}
