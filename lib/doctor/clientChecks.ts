import type { BackchannelOptions } from '../contracts/options.ts'
import type { Context } from '../core/context.ts'
import { checkRegistration } from '../protocol/client/registration.ts'
import { type Finding, pass } from './check.ts'

export function issuer({ settings, urls }: Context): Finding[] {
  const findings = [pass('issuer', `${settings.issuer}; profile ${settings.profile}`)]
  if (!urls.discovery.startsWith(settings.issuer.replace(/\/$/, ''))) {
    findings.push({
      check: 'issuer',
      result: 'warn',
      detail: `the discovery document is at ${urls.discovery}`,
      remedy:
        'Clients look for it at the issuer plus /.well-known/openid-configuration: serve backchannel.metadata() there',
    })
  }
  return findings
}

export function keys({ keys }: Pick<BackchannelOptions, 'keys'>): Finding[] {
  if (keys !== undefined) return [pass('keys', `${keys.keys.length} given`)]
  const remedy = 'Set "keys": tokens do not survive a restart, and several processes sign differently'
  return [{ check: 'keys', result: 'warn', detail: 'made at start', remedy }]
}

/** Is the metadata of a client in order, and is what it is registered for offered here? */
export async function client(
  ctx: Context,
  { clients }: Pick<BackchannelOptions, 'clients'>,
  id: string,
): Promise<Finding[]> {
  const metadata = await clients.find({ clientId: id })
  if (metadata === undefined || metadata === null) throw new Error('is not registered')
  const { authMethod, deliveryMode } = await checkRegistration(ctx, metadata)
  const { clientAuth, delivery } = ctx.settings
  if (!clientAuth.methods.includes(authMethod)) {
    throw new Error(`registered for ${authMethod}, which this server does not offer`)
  }
  if (deliveryMode === undefined) throw new Error('has no backchannel_token_delivery_mode')
  if (!delivery.modes.includes(deliveryMode)) {
    throw new Error(`registered for ${deliveryMode}, which this server does not offer`)
  }
  return [pass(`client ${id}`, `${authMethod}, ${deliveryMode}`)]
}
