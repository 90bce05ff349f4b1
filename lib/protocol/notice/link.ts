import type { Client } from '../../contracts/contracts.ts'
import { contextOf, hashOf, linkHandle, type Vault } from '../../core/crypto/vault.ts'
import type { RequestRecord } from '../../core/request.ts'

export interface LinkOfParts {
  readonly vault: Vault
  /** What a link to a client's own page carries. */
  readonly landingHandle: 'link' | 'auth_req_id'
  /** The link to our own page. */
  linkFor(handle: string): string
}

/** The URL that a user is told about a request: our page, or the client's own where it is registered (Transmit). */
export function createLinkOf({ vault, landingHandle, linkFor }: LinkOfParts) {
  const linkTellsAuthReqId = ({ metadata }: Client): boolean =>
    metadata.login_uri !== undefined && landingHandle === 'auth_req_id'

  function remadeFor({ id, linkHash }: RequestRecord): string {
    const handle = linkHandle(vault, id)
    if (hashOf(handle) !== linkHash) throw new Error('the link was made with another secret')
    return handle
  }

  return {
    linkTellsAuthReqId,
    linkOf(record: RequestRecord, client: Client, handle = remadeFor(record)): string {
      const { login_uri: loginUri } = client.metadata
      if (loginUri === undefined) return linkFor(handle)
      const { sealedAuthReqId, bindingMessage } = record.details
      const authReqId =
        sealedAuthReqId === undefined ? handle : vault.open(sealedAuthReqId, contextOf('authReqId', record.id))
      return landingLink(loginUri, linkTellsAuthReqId(client) ? authReqId : handle, bindingMessage)
    },
  }
}

/** `login_uri` with `auth_req_id` and `binding_message` behind whatever query it has. */
export function landingLink(loginUri: string, authReqId: string, bindingMessage: string | undefined): string {
  const message = bindingMessage === undefined ? '' : `&binding_message=${encodeURIComponent(bindingMessage)}`
  const url = new URL(loginUri)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}auth_req_id=${encodeURIComponent(authReqId)}${message}`
  return url.href
}
