import { spawnSync } from 'node:child_process'
import { root } from './command.mjs'

/** Installs packages; a registry that does not answer is asked once more. */
export function npm(...args) {
  for (let tries = 2; tries > 0; tries -= 1) {
    const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], timeout: 300_000 })
    if (status === 0) return true
  }
  return false
}
