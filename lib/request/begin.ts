import type { Call, Client, Form, User } from '../contracts.ts'
import { BackchannelError } from '../errors.ts'
import type { Ask, Parameters } from './parse.ts'

/** A request that passed every check: who asks, what, of whom. */
export interface Begun {
  readonly client: Client
  readonly ask: Ask
  /** Absent when unknown users are hidden and nobody was found. */
  readonly user: User | undefined
  readonly certificateThumbprint?: string | undefined
}

export interface BeginParts {
  authenticate(call: Call): Promise<{ readonly client: Client; readonly certificateThumbprint?: string | undefined }>
  readParameters(form: Form, client: Client): Promise<Parameters>
  parse(parameters: Parameters, client: Client): Ask
  findUser(ask: Ask, client: Client): Promise<User | undefined>
  checkUserCode(ask: Ask, user: User | undefined, client: Client): Promise<void>
}

/** Validates an authentication request (CIBA Core 7.2). Nothing is stored and nobody is asked yet. */
export function createBegin({ authenticate, readParameters, parse, findUser, checkUserCode }: BeginParts) {
  return async (call: Call): Promise<Begun> => {
    const { client, certificateThumbprint } = await authenticate(call)
    if (client.deliveryMode === undefined) {
      throw new BackchannelError('unauthorized_client', 'This client is not registered for backchannel authentication')
    }
    const ask = parse(await readParameters(call.form, client), client)
    const user = await findUser(ask, client)
    await checkUserCode(ask, user, client)
    return { client, ask, user, certificateThumbprint }
  }
}
