import type { RequestRecord } from '../../contracts/request.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext } from '../../core/context.ts'
import { hashOf, linkHandle } from '../../core/crypto/handles.ts'
import { authReqIdOf } from '../../core/lookup.ts'

/** The link to our own page. `handle`: the secret that opens it. */
function linkFor(ctx: AskContext, handle: string): string {
  return `${ctx.urls.approve}?r=${handle}`
}

/**
 * The URL that the user is told: our page, or the client's own where a `login_uri` is registered (Transmit).
 * @param handle The link's handle, where it is at hand. Defaults to the same one, made again.
 * @throws Error when the handle cannot be made again, because the option `secret` has changed.
 */
export function linkOf(
  ctx: AskContext,
  record: RequestRecord,
  client: Client,
  handle = handleMadeAgain(ctx, record),
): string {
  const { login_uri: loginUri } = client.metadata
  if (loginUri === undefined) return linkFor(ctx, handle)
  const { sealedAuthReqId, bindingMessage } = record.details
  const tellsAuthReqId = linkTellsAuthReqId(ctx, client) && sealedAuthReqId !== undefined
  return landingLink(loginUri, tellsAuthReqId ? authReqIdOf(ctx, record) : handle, bindingMessage)
}

/** Does a link to the client's own page carry the `auth_req_id` itself (option `approval.landingHandle`)? */
export function linkTellsAuthReqId(ctx: AskContext, { metadata }: Client): boolean {
  return metadata.login_uri !== undefined && ctx.settings.approval.landingHandle === 'auth_req_id'
}

function handleMadeAgain({ vault }: AskContext, { id, linkHash }: RequestRecord): string {
  const handle = linkHandle(vault, id)
  if (hashOf(handle) !== linkHash) throw new Error('the link was made with another secret')
  return handle
}

/** `login_uri` with `auth_req_id` and `binding_message` behind whatever query it has. */
function landingLink(loginUri: string, authReqId: string, bindingMessage: string | undefined): string {
  const message = bindingMessage === undefined ? '' : `&binding_message=${encodeURIComponent(bindingMessage)}`
  const url = new URL(loginUri)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}auth_req_id=${encodeURIComponent(authReqId)}${message}`
  return url.href
}
