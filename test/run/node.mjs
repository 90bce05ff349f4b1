// Another Node, as the npm package `node` brings it.
import { existsSync, mkdirSync } from 'node:fs'
import { root } from './command.mjs'
import { npm } from './npm.mjs'

/** @returns {string | undefined} the program, `undefined` if it could not be installed */
export function nodeBinary(version) {
  if (process.versions.node.startsWith(`${version}.`)) return process.execPath
  const prefix = `${root}/node_modules/.cache/node-${version}`
  const binary = `${prefix}/node_modules/node/bin/node`
  if (existsSync(binary)) return binary
  mkdirSync(prefix, { recursive: true })
  return npm('install', '--no-save', '--silent', '--prefix', prefix, `node@${version}`) ? binary : undefined
}
