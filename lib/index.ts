export type { Decision } from './approval/complete.ts'
export {
  type Backchannel,
  type Completion,
  createBackchannel,
  type GrantAnswer,
  type RequestState,
} from './backchannel.ts'
export { consoleChannel } from './channels/console.ts'
export { type EmailChannelOptions, emailChannel, type Mail, type MailTransport } from './channels/email.ts'
export { linkChannel } from './channels/link.ts'
export type { NoticeStrings, NoticeTexts } from './channels/notice.ts'
export { type SmsChannelOptions, smsChannel, smsFailure, type TextSender, type TwilioClient } from './channels/sms.ts'
export type * from './contracts.ts'
export * from './errors.ts'
export type { BackchannelEvent, Logger } from './events.ts'
export type { BackchannelOptions, BindingMessagePolicy, TokenOptions } from './options.ts'
export type { Paths } from './paths.ts'
export type * from './record.ts'
export { type BackchannelRouter, createBackchannelRouter } from './router.ts'
export { type KeyvLike, keyvStore } from './stores/keyv.ts'
export { memoryStore } from './stores/memory.ts'
export type { TokenResponse } from './token/mint.ts'
