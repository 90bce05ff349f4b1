import { type Program, startProgram } from './program.ts'

export interface NotifierOptions {
  readonly store: 'keyvStore' | 'redisStore' | 'postgresStore'
  /** Of the server behind the store, and of the queue where that needs one. */
  readonly url: string
  readonly queue: 'bullmq' | 'in process'
  readonly mode: 'ping' | 'push'
  readonly receiver: { readonly url: string; readonly host: string; readonly ca: string }
  /** Where the process stops to be killed: after the answer is stored and before anything is sent. */
  readonly dies?: 'before the call'
}

/** A host in a process of its own, on a store that outlives it. It is stopped by `program.stop('SIGKILL')`. */
export async function startNotifier(options: NotifierOptions): Promise<{ program: Program; origin: string }> {
  const program = startProgram(['--import', 'tsx', 'test/helpers/notifierProcess.ts', JSON.stringify(options)])
  const line = await program.line(/^origin /)
  return { program, origin: line.replace('origin ', '') }
}
