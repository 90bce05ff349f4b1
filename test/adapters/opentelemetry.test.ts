import * as api from '@opentelemetry/api'
import { context, metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { expect } from 'chai'
import { memoryStore } from 'express-ciba'
import { openTelemetry } from 'express-ciba/adapters/opentelemetry'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { type Host, startHost } from '../helpers/host.ts'
import { until } from '../helpers/until.ts'

describe('OpenTelemetry', () => {
  const spans = new InMemorySpanExporter()
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  })
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  let host: Host
  let down: boolean
  before(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    trace.setGlobalTracerProvider(tracers)
    metrics.setGlobalMeterProvider(meters)
    const store = memoryStore()
    host = await startHost({
      telemetry: openTelemetry(api),
      store: { ...store, poll: (...call) => (down ? Promise.reject(new Error('at 10.0.0.1')) : store.poll(...call)) },
    })
  })
  beforeEach(() => {
    down = false
    spans.reset()
  })
  after(async () => {
    await host.close()
    await Promise.all([meters.shutdown(), tracers.shutdown()])
    for (const each of [context, trace, metrics]) each.disable()
  })

  const named = (name: string) => spans.getFinishedSpans().filter((span) => span.name === name)
  const under = (parent: ReadableSpan | undefined) =>
    spans
      .getFinishedSpans()
      .filter((span) => span.parentSpanContext?.spanId === parent?.spanContext().spanId)
      .map(({ name }) => name)
  const started = async () =>
    (
      await clientOf(host).start({
        scope: 'openid',
        login_hint: 'alice',
        request_context: '{"channel":"link","login_hint_type":"user_id"}',
      })
    ).body

  it('has a span for each step, with what the host plugged in inside', async () => {
    const { auth_req_id, link } = await started()
    expect(under(named('ciba backchannel_authentication')[0])).to.include.members([
      'ciba clients',
      'ciba users',
      'ciba store',
    ])
    const device = deviceOf('alice')
    await device.press(await device.open(link), 'approve')
    expect((await clientOf(host).poll(auth_req_id)).status).to.equal(200)
    expect(named('ciba approval_page').length).to.be.greaterThan(2)
    const [token] = named('ciba token')
    expect(under(token)).to.deep.equal(['ciba clients', 'ciba store', 'ciba store'])
    expect(token?.attributes).to.deep.equal({ 'ciba.step': 'token' })
    await clientOf(host).start()
    await until(() => named('ciba channel').length > 0)
  })

  it('tells a refusal from a failure, by code and never by text', async () => {
    await clientOf(host).poll('x')
    const [refused] = named('ciba token')
    expect([refused?.attributes['error.type'], refused?.status.code]).to.deep.equal([
      'invalid_grant',
      SpanStatusCode.UNSET,
    ])
    const { auth_req_id } = await started()
    down = true
    expect((await clientOf(host).poll(auth_req_id)).status).to.equal(503)
    const [, failed] = named('ciba token')
    expect([failed?.attributes['error.type'], failed?.status.code]).to.deep.equal([
      'temporarily_unavailable',
      SpanStatusCode.ERROR,
    ])
    expect(
      JSON.stringify(spans.getFinishedSpans().map(({ attributes, events, status }) => [attributes, events, status])),
    ).not.to.include('10.0.0.1')
  })

  it('counts events by type, and measures steps', async () => {
    await started()
    await meters.forceFlush()
    const found =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
    const pointsOf = (name: string) => found.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []
    const counted = pointsOf('ciba.events').map(({ attributes }) => attributes)
    expect(counted).to.deep.include({ 'ciba.event': 'request.accepted', 'ciba.delivery_mode': 'poll' })
    expect(counted).to.deep.include({ 'ciba.event': 'outage', 'ciba.part': 'store' })
    const steps = pointsOf('ciba.step.duration').map(({ attributes }) => attributes['ciba.step'])
    expect(steps).to.include.members(['token', 'store', 'clients', 'backchannel_authentication'])
  })

  it('takes nothing but what it was handed: other grants still go on, other methods are still refused', async () => {
    expect((await clientOf(host).post('/oidc/token', { grant_type: 'password' })).status).to.equal(404)
    expect((await fetch(`${host.origin}/oidc/token`)).status).to.equal(405)
    expect(under(undefined)).to.include('ciba token')
  })
})
