export type * from './contracts.ts'
export * from './errors.ts'
export type { BackchannelEvent, Logger } from './events.ts'
export type * from './record.ts'
