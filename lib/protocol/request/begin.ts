import type { DeliveryMode } from '../../contracts/clients.ts'
import type { KeyBinding } from '../../contracts/tokens.ts'
import type { User } from '../../contracts/users.ts'
import type { Client, RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'
import { bindingAtRequest } from '../authorization/keyBinding.ts'
import { authenticate } from '../client/authenticate.ts'
import { admit } from '../limits/prompts.ts'
import { requireSupportedClient } from '../token/supportedClient.ts'
import { hintOf } from './hint.ts'
import { readParameters } from './parameters.ts'
import { type Asked, parseRequest } from './parse.ts'
import { checkUserCode, findUser } from './user.ts'

/** A request that passed every check: who asks, what, of whom. */
export interface Begun {
  readonly client: Client
  readonly deliveryMode: DeliveryMode
  /** Seconds that the client has to leave between two polls. Absent: another server serves the client. */
  readonly intervalSeconds?: number
  readonly asked: Asked
  /** The key that tokens will be bound to (CIBA Core 5, RFC 9449 10). */
  readonly binding: KeyBinding
  /** Absent when unknown users are hidden and none was found. */
  readonly user: User | undefined
}

/** A request that passed the checks, but for the user, who has not been looked up. */
export interface Valid extends Omit<Begun, 'user'> {
  readonly client: RegisteredClient
}

/** Validates an authentication request and finds its user (CIBA Core 7.2). Nothing is stored or asked yet. */
export async function begin(ctx: Context, call: Call): Promise<Begun> {
  const valid = await validate(ctx, call)
  const { client, asked } = valid
  const hint = await hintOf(ctx, asked, client)
  const user = await findUser(ctx, { client, details: asked.details, hint })
  await checkUserCode(ctx, asked, user, client)
  return { ...valid, user }
}

/** Validates an authentication request, but for the user (CIBA Core 7.2). The checks are made in this order. */
export async function validate(ctx: Context, call: Call): Promise<Valid> {
  const { client, certificateThumbprint } = await authenticate(ctx, call)
  const { deliveryMode } = client
  if (deliveryMode === undefined) {
    throw new BackchannelError('unauthorized_client', 'This client is not registered for backchannel authentication')
  }
  if (!ctx.settings.delivery.modes.includes(deliveryMode)) {
    throw new BackchannelError('unauthorized_client', "This client's delivery mode is not offered here")
  }
  await requireSupportedClient(ctx, client)
  await admit(ctx, client)
  const parameters = await readParameters(ctx, call.form, client)
  const binding = await bindingAtRequest(ctx, call, client, certificateThumbprint, parameters.dpop_jkt)
  const asked = await parseRequest(ctx, parameters, client)
  return { client, deliveryMode, intervalSeconds: ctx.settings.polling.intervalSeconds, asked, binding }
}
