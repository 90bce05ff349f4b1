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
  parse(parameters: Parameters, client: Client): Ask
  findUser(ask: Ask, client: Client): Promise<User | undefined>
}

/** Validates an authentication request (CIBA Core 7.2). Nothing is stored and nobody is asked yet. */
export function createBegin({ authenticate, parse, findUser }: BeginParts) {
  return async (call: Call): Promise<Begun> => {
    const { client, certificateThumbprint } = await authenticate(call)
    if (client.deliveryMode === undefined) {
      throw new BackchannelError('unauthorized_client', 'This client is not registered for backchannel authentication')
    }
    const ask = parse(parametersOf(call.form), client)
    const user = await findUser(ask, client)
    return { client, ask, user, certificateThumbprint }
  }
}

function parametersOf(form: Form): Parameters {
  if (form.values.has('request')) {
    throw new BackchannelError('invalid_request', 'Signed requests are not supported; send the parameters in the form')
  }
  return {
    get: (name) => form.values.get(name),
    sentEmpty: (name) => form.empty.has(name),
    resources: form.resources,
  }
}
