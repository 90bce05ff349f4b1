// `node --import ./test/helpers/express4.mjs …`: every `import 'express'` gets Express 4.
import { register } from 'node:module'

register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) => next(specifier === 'express' ? 'express4' : specifier, context)
  `)}`,
)
