// With `NODE_OPTIONS='--import …/native.mjs'` Node itself runs the sources, each once and with every character in its place:
// coverage is of what is written there. tsx loads a file twice, and compiles it differently each time.
import { registerHooks } from 'node:module'

const root = new URL('../../', import.meta.url).href
const own = /^express-ciba(?:\/(?!package\.json)(.+))?$/

registerHooks({
  resolve(specifier, context, next) {
    const found = own.exec(specifier)
    // as `paths` in tsconfig.json says
    if (found && context.parentURL?.startsWith(root)) return next(`${root}lib/${found[1] ?? 'index'}.ts`, context)
    // not needed here: a module that is loaded already stands in for it
    if (/^tsx$|\/node_modules\/tsx\//.test(specifier))
      return { url: import.meta.url, format: 'module', shortCircuit: true }
    return next(specifier, context)
  },
})

// a program that a signal ends by itself would take with it what it has seen
process.once('SIGTERM', () => {
  if (process.listenerCount('SIGTERM') === 0) process.exit(143)
})
