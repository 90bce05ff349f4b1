import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import type { Config } from './config.ts'

/** Where the provider is reached. */
export interface Places {
  /** What the issuer is called by default: HTTPS where there is a certificate. */
  readonly baseUrl: string
  /** Where client certificates are asked for. */
  readonly mtlsUrl: string | undefined
  close(): Promise<void>
}

/** RSA certificate, forward secrecy, AES-GCM: what FAPI 1 Part 2, 8.5 leaves of TLS 1.2, and all of 1.3. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':')

/** Listens on HTTP and, with a certificate, on HTTPS. Client certificates are asked for there, or on a port of their own. */
export async function listen(app: Express, { host, port, tls }: Config): Promise<Places> {
  const servers: Server[] = []
  async function open(server: Server, at: number): Promise<number> {
    servers.push(server)
    await new Promise((resolve, reject) => server.listen(at, host).once('listening', resolve).once('error', reject))
    return (server.address() as AddressInfo).port
  }
  const close = async () => {
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }

  const plain = await open(createServer(app), port)
  if (tls === undefined) return { baseUrl: `http://${host}:${plain}`, mtlsUrl: undefined, close }

  const { cert, key, ca, mtlsPort } = tls
  const strict = { cert, key, minVersion: 'TLSv1.2', ciphers } as const
  // requested, not required: who needs a certificate is for the endpoints to say
  const mutual = { ...strict, ...(ca === undefined ? {} : { ca }), requestCert: true, rejectUnauthorized: false }
  const usual = mtlsPort === undefined ? mutual : strict
  const baseUrl = `https://${host}:${await open(createTlsServer(usual, app), tls.port)}`
  if (mtlsPort === undefined) return { baseUrl, mtlsUrl: baseUrl, close }
  const mtlsUrl = `https://${host}:${await open(createTlsServer(mutual, app), mtlsPort)}`
  return { baseUrl, mtlsUrl, close }
}
