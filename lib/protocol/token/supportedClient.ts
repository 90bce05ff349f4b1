import type { Client } from '../../contracts/contracts.ts'
import type { Keys } from '../../core/crypto/signingKeys.ts'
import { BackchannelError } from '../../core/errors.ts'

export interface ServesParts {
  readonly keys: Keys
  /** What stands in the way of its ID tokens, in words for the host's log; `undefined`: nothing. */
  readonly problems: readonly ((client: Client) => string | undefined | Promise<string | undefined>)[]
}

/** Refuses clients whose tokens we could not make, before a user is asked in vain. */
export function createRequireServable({ keys, problems }: ServesParts) {
  return async (client: Client): Promise<void> => {
    const alg = client.metadata.id_token_signed_response_alg
    if (keys.forAlg(alg) === undefined) throw refuse(client, `the option "keys" has no key for ${alg}`)
    for (const problemOf of problems) {
      const problem = await problemOf(client)
      if (problem !== undefined) throw refuse(client, problem)
    }
  }
}

function refuse({ id }: Client, problem: string): BackchannelError {
  return new BackchannelError(
    'unauthorized_client',
    'The server cannot make the ID tokens this client registered for',
    {
      cause: new TypeError(`client "${id}": ${problem}`),
    },
  )
}
