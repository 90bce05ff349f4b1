// Runs the steps of `npm test`, none of them without end.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The longest that a step may take, in milliseconds: the slowest took two minutes on two quiet cores. */
const longest = 15 * 60_000
/** How long a command may live on after it has said how its tests went: a little longer than they wait themselves. */
const afterTally = 60_000
/** What a command's last words may take to arrive once it has ended. */
const lastWords = 2_000
const tally = /^ {2}\d+ passing/m

/** @type {import('node:child_process').ChildProcess | undefined} */
let running

/**
 * Runs a command, shows what it prints, and hands it back. The command leads a process group of its own, so that one that does
 * not end, and whatever one that has ended leaves running, can be killed.
 */
export function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    running = child
    let output = ''
    let limit
    let overtime
    const end = (code) => {
      clearTimeout(limit)
      clearTimeout(overtime)
      killGroup(child)
      resolve({ code, output })
    }
    limit = setTimeout(() => {
      console.log(`\nStopped after ${longest / 60_000} minutes.`)
      end(1)
    }, longest)
    child.stdout.on('data', (chunk) => {
      output += chunk
      process.stdout.write(chunk)
      if (overtime !== undefined || !tally.test(output.slice(-10_000))) return
      overtime = setTimeout(() => {
        console.log(`\nStopped: it did not end within ${afterTally / 1000} s of its last test.`)
        end(0)
      }, afterTally)
    })
    child.on('error', () => end(127))
    child.on('exit', (code) => {
      const orphaned = setTimeout(() => end(code ?? 1), lastWords)
      child.on('close', () => {
        clearTimeout(orphaned)
        end(code ?? 1)
      })
    })
  })
}

/** Kills what is left of a command's process group. */
function killGroup(child) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // nothing is left
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    if (running) killGroup(running)
    process.exit(1)
  })
}
