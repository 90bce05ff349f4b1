import { expect } from 'chai'
import { inProcessQueue } from 'express-ciba'
import { bullmqQueue } from 'express-ciba/queues/bullmq'
import { keyvStore } from 'express-ciba/stores/keyv'
import { postgresStore } from 'express-ciba/stores/postgres'
import { redisStore } from 'express-ciba/stores/redis'
import { Keyv } from 'keyv'

/** Clients that connect to nothing. */
const redis = { evalsha: async () => {}, eval: async () => {} }
const pool = { query: async () => ({ rows: [], rowCount: 0 }), connect: () => Promise.reject(), on: () => {} }

const factories: Readonly<Record<string, (options: object) => unknown>> = {
  inProcessQueue: (options) => inProcessQueue(options),
  bullmqQueue: (options) => bullmqQueue({ connection: {}, ...options }),
  redisStore: (options) => redisStore(redis, options),
  postgresStore: (options) => postgresStore(pool, { sweepSeconds: 0, ...options }),
  keyvStore: (options) => keyvStore(new Keyv(), options),
}

describe('the options of stores and queues', () => {
  for (const [factory, make] of Object.entries(factories)) {
    it(`${factory} refuses a name that it does not know, and says which there are`, () => {
      expect(() => make({ sped: 1 })).to.throw(
        TypeError,
        new RegExp(
          `^express-ciba: ${factory}: unknown option "sped"; check the spelling, or remove it. There are: \\w+`,
        ),
      )
      expect(() => make({})).not.to.throw()
    })
  }

  for (const [factory, name, now] of [
    ['inProcessQueue', 'firstRetryMs', 'firstRetrySeconds'],
    ['inProcessQueue', 'maxRetryMs', 'maxRetrySeconds'],
    ['bullmqQueue', 'firstRetryMs', 'firstRetrySeconds'],
    ['bullmqQueue', 'maxRetryMs', 'maxRetrySeconds'],
    ['redisStore', 'timeoutMs', 'timeoutSeconds'],
    ['postgresStore', 'timeoutMs', 'timeoutSeconds'],
  ] as const) {
    it(`${factory} says that "${name}" is "${now}" now`, () => {
      expect(() => factories[factory]?.({ [name]: 500 })).to.throw(
        TypeError,
        `express-ciba: ${factory}: option "${name}" is "${now}" now, in seconds: divide its value by 1000`,
      )
      expect(() => factories[factory]?.({ [now]: 0.5 })).not.to.throw()
    })
  }

  it('are an object', () => {
    for (const wrong of [null, 'ciba:', 2]) {
      expect(() => redisStore(redis, wrong as never)).to.throw(TypeError, 'redisStore: the options must be an object')
    }
  })
})
