import { parseArgs } from 'node:util'
import type { Plan } from './config.ts'
import { type StoreName, storeServers } from './storeServer.ts'
import { type TargetName, targets } from './targets.ts'

/** What the command line asks for. */
export interface Arguments {
  /** A file that describes a server which is there already. */
  readonly config: string | undefined
  /** The server to start without one. */
  readonly target: TargetName
  /** Where the notification endpoint listens, and its address from outside. */
  readonly notify: { readonly port: number; readonly publicUrl: string | undefined }
  /** Where examples/op keeps its requests; its memory by default. */
  readonly store: StoreName | undefined
  readonly serial: boolean
  readonly modules: readonly string[] | undefined
  wants(plan: Plan): boolean
}

export function readArguments(args = process.argv.slice(2)): Arguments {
  const { values } = parseArgs({
    args,
    options: {
      config: { type: 'string' },
      target: { type: 'string', default: 'op' },
      mode: { type: 'string' },
      auth: { type: 'string' },
      registration: { type: 'string' },
      module: { type: 'string' },
      store: { type: 'string' },
      serial: { type: 'boolean', default: false },
      'notify-port': { type: 'string', default: '0' },
      'notify-url': { type: 'string' },
    },
  })
  if (!Object.hasOwn(targets, values.target)) {
    throw new TypeError(`--target must be one of ${Object.keys(targets).join(', ')}`)
  }
  if (values.store !== undefined && !Object.hasOwn(storeServers, values.store)) {
    throw new TypeError(`--store must be one of ${Object.keys(storeServers).join(', ')}`)
  }
  return {
    config: values.config,
    target: values.target as TargetName,
    notify: { port: Number(values['notify-port']), publicUrl: values['notify-url'] },
    store: values.store as StoreName | undefined,
    serial: values.serial,
    modules: values.module?.split(','),
    wants: ({ mode, auth, registration }) =>
      mode === (values.mode ?? mode) &&
      auth === (values.auth ?? auth) &&
      registration === (values.registration ?? registration),
  }
}
