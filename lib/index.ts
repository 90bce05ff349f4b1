export type { Decision } from './approval/complete.ts'
export type { Completed } from './approval/completed.ts'
export type {
  CompletedAuthorized,
  CompletedOtherwise,
  Completion,
  ObjectOrText,
} from './approval/completionRequest.ts'
export type { DetailCard, DetailWords } from './approval/details.ts'
export type { PageStrings, PageTexts } from './approval/messages.ts'
export type { PageOptions, PlaceQuestion } from './approval/options.ts'
export type { ClosedState, PageState } from './approval/state.ts'
export type { Theme, ThemeColors } from './approval/style.ts'
export type { Ask, Page, SignedOut, View } from './approval/view.ts'
export { type Backchannel, createBackchannel } from './backchannel.ts'
export { type ConsoleChannelOptions, consoleChannel } from './channels/console.ts'
export { type EmailChannelOptions, emailChannel, type Mail, type MailTransport } from './channels/email.ts'
export { linkChannel } from './channels/link.ts'
export type { NoticeStrings, NoticeTexts } from './channels/notice.ts'
export { qrPng, qrSvg } from './channels/qr.ts'
export { type SmsChannelOptions, smsChannel, type TextSender, type TwilioClient } from './channels/sms.ts'
export { readTwilioStatus, smsFailure, type TwilioStatusCall } from './channels/twilio.ts'
export { readClient } from './client/metadata.ts'
export type * from './contracts.ts'
export { type BullmqQueueOptions, bullmqQueue } from './delivery/bullmq.ts'
export type { Undelivered } from './delivery/notify.ts'
export type { OutboundOptions } from './delivery/outbound.ts'
export { type InProcessQueueOptions, inProcessQueue } from './delivery/queue.ts'
export type { RetryOptions } from './delivery/schedule.ts'
export type { DoctorOptions, Finding } from './doctor.ts'
export * from './errors.ts'
export type { BackchannelEvent, Logger } from './events.ts'
export type { Count, Limiter, LimiterFactory } from './limiter.ts'
export type { BackchannelOptions, BindingMessagePolicy, NoticeOptions, TokenOptions } from './options.ts'
export type { Paths } from './paths.ts'
export type * from './record.ts'
export type { Limits } from './request/limits.ts'
export { type LoginHintTokensOptions, type LoginHintTokenVerifier, loginHintTokens } from './request/loginHintToken.ts'
export type { ResendOptions, Resent } from './request/resend.ts'
export type { Fallback } from './request/route.ts'
export type { RequestState } from './requestState.ts'
export { type BackchannelRouter, createBackchannelRouter } from './router.ts'
export { type KeyvLike, keyvStore } from './stores/keyv.ts'
export { memoryStore } from './stores/memory.ts'
export { type PoolLike, type PostgresStore, type PostgresStoreOptions, postgresStore } from './stores/postgres.ts'
export {
  type IoredisLike,
  type NodeRedisLike,
  type RedisLike,
  type RedisStoreOptions,
  redisStore,
} from './stores/redis.ts'
export type { Binding } from './token/binding.ts'
export { cibaGrantType } from './token/endpoint.ts'
export type { Grant, Granted } from './token/grant.ts'
export type { Introspection, MayIntrospect } from './token/introspect.ts'
export type { IssuedTokens, IssueTokens } from './token/issueTokens.ts'
export type { MakeAccessToken, TokenResponse } from './token/mint.ts'
export type { IssueRefreshToken } from './token/refreshToken.ts'
