import { expect } from 'chai'
import type { Logger } from 'express-ciba'
import { createEmit } from '../lib/core/events.ts'
import { clientOf } from './helpers/client.ts'
import { startHost } from './helpers/host.ts'
import { until } from './helpers/until.ts'

const event = { type: 'fault', cause: new Error('a fault') } as const
const broken = () => {
  throw new Error('broken')
}
const rejecting = async () => broken()

function loggerOf(lines: string[]): Logger {
  const line = (_fields: object, text: string) => void lines.push(text)
  return { info: line, warn: line, error: line }
}

describe('the log', () => {
  it('names what was thrown, also when it is no error, and quotes nothing of it', () => {
    const seen: object[] = []
    const log = (fields: object) => void seen.push(fields)
    const emit = createEmit(undefined, { info: log, warn: log, error: log })
    for (const cause of ['password=hunter2', undefined, Object.assign(new TypeError('hunter2'), { code: 'E1' })])
      emit({ type: 'outage', of: 'store', cause })
    expect(seen.map((fields) => 'cause' in fields && fields.cause)).to.deep.equal([
      'string',
      'undefined',
      'TypeError E1',
    ])
    expect(JSON.stringify(seen)).not.to.include('hunter2')
  })
})

describe('hooks that only listen', () => {
  /** Rejections that nobody heard: they would end a process. */
  const unheard: unknown[] = []
  const listeners = process.listeners('unhandledRejection')
  const hear = (thrown: unknown) => unheard.push(thrown)
  beforeEach(() => {
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', hear)
    unheard.length = 0
  })
  afterEach(() => {
    process.off('unhandledRejection', hear)
    for (const each of listeners) process.on('unhandledRejection', each)
  })
  const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

  for (const [what, hook] of Object.entries({ throws: broken, rejects: rejecting })) {
    it(`onEvent ${what}: the logger hears of it, and of the event`, async () => {
      const lines: string[] = []
      createEmit(hook, loggerOf(lines))(event)
      await settled()
      expect(lines).to.have.members(['express-ciba: onEvent threw', 'express-ciba: fault'])
      expect(unheard).to.deep.equal([])
    })

    it(`a logger that ${what} disturbs nobody`, async () => {
      createEmit(undefined, { info: hook, warn: hook, error: hook })(event)
      await settled()
      expect(unheard).to.deep.equal([])
    })

    it(`onAnswer ${what}: the answer stands, and an event says so`, async () => {
      const host = await startHost({ onAnswer: hook })
      const client = clientOf(host)
      const { auth_req_id } = (await client.start()).body
      expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(204)
      await until(() => host.events.some(({ type }) => type === 'fault'))
      await host.close()
      expect(unheard).to.deep.equal([])
    })
  }

  it('a template that fails for every page is an error for Express to handle', async () => {
    const host = await startHost({ page: { template: broken } })
    const response = await fetch(`${host.origin}/auth/backchannel/approve?r=x`, { signal: AbortSignal.timeout(5000) })
    expect(response.status).to.equal(503)
    expect(host.events.some((each) => each.type === 'outage' && each.of === 'page')).to.equal(true)
    await host.close()
    expect(unheard).to.deep.equal([])
  })
})
