/**
 * `examples/op`, as the others are served: `opaque` hands out access tokens that are random and kept in a Map, like the floor
 * and oidc-provider do; `jwt` those that it makes by itself, each with a signature of its own.
 */
import { randomBytes } from 'node:crypto'
import type { Grant } from 'express-ciba'
import { readConfig } from '../../examples/op/config.ts'
import { startProvider } from '../../examples/op/provider.ts'

const [, , file, accessTokens] = process.argv
const config = readConfig(file)
const kept = new Map<string, Grant>()
const tokens = {
  issueRefreshToken: () => false,
  accessToken(grant: Grant) {
    const token = randomBytes(32).toString('base64url')
    kept.set(token, grant)
    return token
  },
}
const options = accessTokens === 'opaque' ? { ...config.options, tokens } : config.options
const provider = await startProvider({ ...config, options })
console.log(JSON.stringify({ ...provider.description, name: `express-ciba, ${accessTokens} access tokens` }))
process.stdin.resume().once('end', () => void provider.close().then(() => process.exit(0)))
