// With `NODE_OPTIONS='--import …/express4.mjs'` every `import 'express'` gets Express 4, however it is carried out.
import Module, { register } from 'node:module'

const four = (specifier) => (specifier === 'express' ? 'express4' : specifier)

register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) => next((${four})(specifier), context)
  `)}`,
)

const resolveFilename = Module._resolveFilename
Module._resolveFilename = function (specifier, ...rest) {
  return resolveFilename.call(this, four(specifier), ...rest)
}
