import { X509Certificate } from 'node:crypto'
import type { Context } from '../core/context.ts'
import { BackchannelError } from '../core/errors.ts'
import type { Call, CallOverrides } from '../core/http/call.ts'
import { parse } from '../core/http/form.ts'
import { text, texts } from './fields.ts'

/** Members that hand over what a client sent. */
export const callMembers = {
  parameters: text,
  clientId: text,
  clientSecret: text,
  clientCertificate: text,
  clientCertificatePath: texts,
}

/** A client's call as the caller of the API hands it over. */
export interface HandedOver {
  readonly parameters: string
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly clientCertificate?: string | undefined
  /** Value of the `DPoP` header. */
  readonly dpop?: string | undefined
}

/**
 * The client's call as every endpoint sees it. User and password of its `Authorization` header are handed over as they
 * stood there, each still form-encoded (RFC 6749 2.3.1); the chain of its certificate has been checked by the caller.
 * `url`: of the endpoint that the client called, as configured.
 */
export function callFrom(ctx: Context, handed: HandedOver, url: string, overrides?: CallOverrides): Call {
  const { parameters, clientId, clientSecret = '', clientCertificate, dpop } = handed
  const basic = clientId === undefined ? undefined : Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const x509 = clientCertificate === undefined ? undefined : readCertificate(clientCertificate)
  return {
    form: parse(Buffer.from(parameters)),
    authorization: basic === undefined ? undefined : `Basic ${basic}`,
    dpop: dpop === undefined ? [] : [dpop],
    url,
    mtlsUrl: ctx.aliases.get(url),
    certificate: () => (x509 === undefined ? undefined : { x509, chained: true }),
    overrides,
  }
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new BackchannelError('server_error', 'clientCertificate is not a certificate in PEM', { cause })
  }
}
