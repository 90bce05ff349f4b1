import type { JWK } from 'jose'
import type { Finding } from './checks/catalogue.ts'
import { discovery, jwks } from './checks/documents.ts'
import type { AuthType, Config } from './config.ts'
import { collect } from './findings.ts'
import { type Answer, type Http, membersOf } from './http.ts'

/** The server under test, as its documents describe it. */
export interface Server {
  readonly document: Answer
  readonly issuer: string
  readonly jwks: readonly JWK[]
  /** What is wrong with the documents; part of every module's findings. */
  readonly findings: readonly Finding[]
  /** Absolute URL of a top-level endpoint. */
  endpoint(name: string): string | undefined
  /** The endpoint's alias for mutual TLS when there is one, else the endpoint. */
  mtlsEndpoint(name: string): string | undefined
  readonly tokenEndpoint: string
  backchannelEndpoint(auth: AuthType): string
}

/** Fetches discovery document and keys, once per run as the suite does. */
export async function readServer(config: Config, http: Http): Promise<Server> {
  const document = await http.send(config.server.discoveryUrl)
  const metadata = membersOf(document)
  const aliases = (metadata.mtls_endpoint_aliases ?? {}) as Readonly<Record<string, unknown>>
  const findings = await collect(discovery(document))
  const keySet = typeof metadata.jwks_uri === 'string' ? await http.send(metadata.jwks_uri) : document
  findings.push(...(await collect(jwks(keySet))))

  const endpoint = (name: string) => textOf(metadata[name])
  const mtlsEndpoint = (name: string) => textOf(aliases[name]) ?? endpoint(name)
  return {
    document,
    issuer: String(metadata.issuer),
    jwks: (membersOf(keySet).keys ?? []) as readonly JWK[],
    findings,
    endpoint,
    mtlsEndpoint,
    tokenEndpoint: mtlsEndpoint('token_endpoint') ?? '',
    backchannelEndpoint: (auth) => {
      const find = auth === 'mtls' ? mtlsEndpoint : endpoint
      return find('backchannel_authentication_endpoint') ?? ''
    },
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
