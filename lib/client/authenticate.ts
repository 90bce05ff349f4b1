import type { Awaitable, Call, Client, ClientMetadata } from '../contracts.ts'
import { BackchannelError } from '../errors.ts'
import { equalSecrets } from '../secrets.ts'

export function createAuthenticate(parts: {
  find(clientId: string): Awaitable<ClientMetadata | undefined | null>
  read(metadata: ClientMetadata): Client
  methods: readonly unknown[]
}) {
  return async (call: Call): Promise<{ client: Client; certificateThumbprint?: string }> => {
    const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(call.authorization ?? '')?.[1]
    const headers = call.authorization === undefined ? {} : { 'WWW-Authenticate': 'Basic realm="oidc"' }
    const decoded = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString()
    const [id, secret] =
      decoded === undefined
        ? [call.form.values.get('client_id'), call.form.values.get('client_secret')]
        : decoded.split(':', 2).map((half) => decodeURIComponent(half.replaceAll('+', ' ')))
    const metadata = id === undefined ? undefined : await parts.find(id)
    const client = metadata ? parts.read(metadata) : undefined
    const method = decoded === undefined ? 'client_secret_post' : 'client_secret_basic'
    if (client?.authMethod === method && equalSecrets(secret ?? '', client.metadata.client_secret ?? ' '))
      return { client }
    throw new BackchannelError('invalid_client', 'Client authentication failed', { headers })
  }
}
