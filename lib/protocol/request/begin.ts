import type { Call, Client, Form, User } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { DeliveryMode } from '../../core/request.ts'
import type { Ask, Parameters } from './parameters.ts'

/** A request that is in order, whoever it is for: who asks, and what. */
export interface Valid {
  readonly client: Client
  readonly ask: Ask
  /** The key that tokens will be bound to (CIBA Core 5, RFC 9449 10). */
  readonly binding: KeyBinding
}

/** A request that passed every check: who asks, what, of whom. */
export interface Begun extends Valid {
  /** Absent when unknown users are hidden and nobody was found. */
  readonly user: User | undefined
}

/** Thumbprints of a key that the client has proven. */
export interface KeyBinding {
  readonly dpopJkt?: string
  readonly certificateThumbprint?: string
}

export interface ValidateParts {
  /** Delivery modes offered here. */
  readonly deliveryModes: readonly DeliveryMode[]
  authenticate(call: Call): Promise<{ readonly client: Client; readonly certificateThumbprint?: string | undefined }>
  /** Throws when no tokens could be made for this client. */
  requireServable(client: Client): Promise<void>
  /** Throws when the client calls too often. */
  countRequest(client: Client): Promise<void>
  readParameters(form: Form, client: Client): Promise<Parameters>
  /** The key that this call shows or, as `dpop_jkt`, promises; tokens will be bound to it. */
  readKey(call: Call, client: Client, certificateThumbprint: string | undefined, dpopJkt: unknown): Promise<KeyBinding>
  parse(parameters: Parameters, client: Client): Promise<Ask>
}

/** Validates an authentication request (CIBA Core 7.2), but for the user. */
export function createValidate(parts: ValidateParts) {
  const { deliveryModes, authenticate, readParameters, readKey, parse } = parts

  return async (call: Call): Promise<Valid> => {
    const { client, certificateThumbprint } = await authenticate(call)
    if (client.deliveryMode === undefined) {
      throw new BackchannelError('unauthorized_client', 'This client is not registered for backchannel authentication')
    }
    if (!deliveryModes.includes(client.deliveryMode)) {
      throw new BackchannelError('unauthorized_client', "This client's delivery mode is not offered here")
    }
    await parts.requireServable(client)
    await parts.countRequest(client)
    const parameters = await readParameters(call.form, client)
    const binding = await readKey(call, client, certificateThumbprint, parameters.get('dpop_jkt'))
    const ask = await parse(parameters, client)
    return { client, ask, binding }
  }
}

export interface BeginParts {
  validate(call: Call): Promise<Valid>
  findUser(ask: Ask, client: Client): Promise<User | undefined>
  checkUserCode(ask: Ask, user: User | undefined, client: Client): Promise<void>
}

/** Validates an authentication request and finds its user. Nothing is stored and nobody is asked yet. */
export function createBegin({ validate, findUser, checkUserCode }: BeginParts) {
  return async (call: Call): Promise<Begun> => {
    const valid = await validate(call)
    const user = await findUser(valid.ask, valid.client)
    await checkUserCode(valid.ask, user, valid.client)
    return { ...valid, user }
  }
}
