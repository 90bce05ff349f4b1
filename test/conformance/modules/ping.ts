import { found } from '../checks/catalogue.ts'
import { collectAnswer, decide, pinged, pollTwice, start, tokenResponse } from '../flow.ts'
import { askToken } from '../requests.ts'
import type { Module } from '../trial.ts'

const prefix = 'ping-backchannel-notification-endpoint'

/** The notification endpoint misbehaves, and the request goes on. */
export const pings: readonly Module[] = [
  {
    id: 'M36',
    name: `${prefix}-response-has-body`,
    only: 'ping',
    async run(trial) {
      const issued = await start(trial, trial.client1, { reaction: { status: 200, body: 'thank you' } })
      const delay = await pollTwice(trial, issued)
      await decide(trial, issued, 'allow')
      const answer = await collectAnswer(trial, issued, delay)
      if (answer.status === 200) await trial.check(tokenResponse(trial, issued, answer))
      else await trial.check([found('M36 token', `HTTP ${answer.status}: ${answer.text}`)])
    },
  },
  answering('M37', `${prefix}-response-401`, { status: 401 }),
  answering('M38', `${prefix}-response-403`, { status: 403 }),
  answering(
    'M39',
    'ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry',
    { status: 401 },
    5,
  ),
  answering('M40', `${prefix}-return-redirect-request`, { status: 301, redirect: true }, 15),
]

/** The endpoint answers so; after a pause the tokens are there all the same. */
function answering(id: string, name: string, reaction: { status: number; redirect?: true }, pause = 0): Module {
  return {
    id,
    name,
    only: 'ping',
    async run(trial) {
      const issued = await start(trial, trial.client1, { reaction })
      await pollTwice(trial, issued)
      await decide(trial, issued, 'allow')
      await pinged(trial, issued)
      await trial.sleep(pause)
      await trial.check(tokenResponse(trial, issued, await askToken(trial, trial.client1, issued.authReqId)))
    },
  }
}
