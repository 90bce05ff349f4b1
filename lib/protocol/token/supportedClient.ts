import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import { subjectProblem } from '../authorization/subject.ts'
import { encryptionProblem } from './idTokenEncryption.ts'

/**
 * Refuses a client whose tokens we could not make, before a user is asked in vain.
 * @throws BackchannelError `unauthorized_client`; its cause names what is wrong with the registration.
 */
export async function requireSupportedClient(ctx: Context, client: RegisteredClient): Promise<void> {
  const { id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc } = client.metadata
  const isEncrypted = alg !== undefined || enc !== undefined
  const problem =
    signingProblem(ctx, client) ??
    (client.metadata.subject_type === 'pairwise' ? subjectProblem(ctx, client.metadata) : undefined) ??
    (isEncrypted ? await encryptionProblem(ctx, client) : undefined)
  if (problem === undefined) return
  throw new BackchannelError('unauthorized_client', 'The server cannot make the ID tokens this client registered for', {
    cause: new TypeError(`client "${client.id}": ${problem}`),
  })
}

function signingProblem(ctx: Context, { metadata }: RegisteredClient): string | undefined {
  const alg = metadata.id_token_signed_response_alg
  return ctx.signingKeys.forAlg(alg) === undefined ? `the option "keys" has no key for ${alg}` : undefined
}
