import type { GrantAnswer } from '../../contracts/contracts.ts'
import { asBackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { TokenAnswer } from './cibaGrant.ts'

/** Token answers as a route of the host's own may send them. Protocol errors become answers; nothing is thrown. */
export function createGrantAnswers(emit: Emit) {
  const problem = (thrown: unknown): GrantAnswer => {
    const error = asBackchannelError(thrown)
    if (error !== thrown) emit({ type: 'fault', cause: thrown })
    return grantAnswer({ status: error.status, body: JSON.stringify(error), headers: error.headers })
  }

  return {
    answer: async (serve: () => TokenAnswer | Promise<TokenAnswer>): Promise<GrantAnswer> => {
      try {
        return grantAnswer(await serve())
      } catch (thrown) {
        return problem(thrown)
      }
    },
    /** `undefined` when the grant is not ours. */
    answerOurs: (serve: () => Promise<TokenAnswer | undefined>): Promise<GrantAnswer | undefined> =>
      serve().then((answer) => answer && grantAnswer(answer), problem),
  }
}

function grantAnswer({ status, body, headers, sub }: TokenAnswer): GrantAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
    body: typeof body === 'string' ? JSON.parse(body) : body,
    ...(sub === undefined ? {} : { sub }),
  }
}
