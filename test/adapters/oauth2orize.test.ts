import type { ServerResponse } from 'node:http'
import { expect } from 'chai'
import type { GrantAnswer } from 'express-ciba'
import { cibaExchange } from 'express-ciba/adapters/oauth2orize'

describe('cibaExchange', () => {
  const nextOf = async (grant: () => Promise<GrantAnswer | undefined>) => {
    const called: unknown[] = []
    await cibaExchange({ grant })({} as never, {} as ServerResponse, (error) => called.push(error))
    return called
  }

  it('leaves what is none of ours to the next exchange', async () => {
    expect(await nextOf(async () => undefined)).to.deep.equal([undefined])
  })

  it('hands an error to oauth2orize', async () => {
    const error = new Error('a bug')
    expect(await nextOf(() => Promise.reject(error))).to.deep.equal([error])
  })
})
