import { type AddressInfo, connect, createServer as createFront } from 'node:net'
import { createServer, type Server, type TlsOptions } from 'node:tls'
import type { AsyncCheck } from '../checks/catalogue.ts'
import { tls } from '../checks/tls.ts'
import type { Certificate } from '../http.ts'
import { type Case, sees } from './cases.ts'

const strict = 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384'

/** Real TLS servers of every kind. */
export function tlsCases(certificate: () => Certificate): readonly Case[] {
  const all = { otherSuites: true, dhe: true }
  const against = (options: TlsOptions, probes = all) =>
    async function* () {
      const server = await listen({ ...certificate(), ...options })
      try {
        yield* tls(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`, probes)
      } finally {
        server.close()
      }
    }
  const strictServer = { minVersion: 'TLSv1.2', ciphers: `TLS_AES_128_GCM_SHA256:${strict}` } as const
  return [
    sees('nothing', 'a strict server', against(strictServer)),
    sees(
      'nothing',
      'one that misses a certificate',
      against({ ...strictServer, requestCert: true, rejectUnauthorized: true }),
    ),
    sees('nothing', 'default suites, not looked at', against({}, { otherSuites: false, dhe: false })),
    sees('TLS suites', 'nobody at home', () => tls('https://127.0.0.1:1/', {})),
    sees('TLS suites', 'ChaCha alone', against({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' })),
    sees('TLS old', 'TLS 1.1', against({ minVersion: 'TLSv1.1', ciphers: `AES128-SHA:${strict}:@SECLEVEL=0` })),
    sees('TLS 1.3', 'TLS 1.2 alone', against({ maxVersion: 'TLSv1.2', ciphers: strict })),
    sees('TLS 1.3 first', 'TLS 1.3 only when nothing else is offered', () => fickle(certificate())),
    sees('TLS other suite', 'the default suites', against({})),
    sees('TLS DHE', 'a DHE suite', against({ ciphers: `DHE-RSA-AES128-GCM-SHA256:${strict}`, dhparam: 'auto' })),
  ]
}

/** Sends the first callers to a server of TLS 1.2, the third to one of TLS 1.3. */
async function* fickle(certificate: Certificate): AsyncCheck {
  const old = await listen({ ...certificate, maxVersion: 'TLSv1.2', ciphers: strict })
  const modern = await listen({ ...certificate, minVersion: 'TLSv1.3' })
  let calls = 0
  const front = createFront((socket) => {
    calls += 1
    const behind = connect(((calls < 3 ? old : modern).address() as AddressInfo).port)
    socket.pipe(behind).pipe(socket)
    for (const each of [socket, behind]) each.on('error', () => {})
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  try {
    yield* tls(`https://127.0.0.1:${(front.address() as AddressInfo).port}/`, {})
  } finally {
    for (const server of [front, old, modern]) server.close()
  }
}

/** A server that stands the probes, for modules that begin with them. */
export async function listen(options: TlsOptions): Promise<Server> {
  const server = createServer(options, (socket) => socket.on('error', () => {}).end())
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
