export { type ConsoleChannelOptions, consoleChannel } from './adapters/channels/console.ts'
export { type EmailChannelOptions, emailChannel, type Mail, type MailTransport } from './adapters/channels/email.ts'
export { linkChannel } from './adapters/channels/link.ts'
export { qrPng, qrSvg } from './adapters/channels/qr.ts'
export { type SmsChannelOptions, smsChannel, type TextSender, type TwilioClient } from './adapters/channels/sms.ts'
export { readTwilioStatus, smsFailure, type TwilioStatusCall } from './adapters/channels/twilio.ts'
export { type BullmqQueueOptions, bullmqQueue } from './adapters/queues/bullmq.ts'
export { type InProcessQueueOptions, inProcessQueue } from './adapters/queues/inProcess.ts'
export type { RetryOptions } from './adapters/queues/retry.ts'
export { type KeyvLike, keyvStore } from './adapters/stores/keyv/store.ts'
export { memoryStore } from './adapters/stores/memory.ts'
export {
  type PoolLike,
  type PostgresStore,
  type PostgresStoreOptions,
  postgresStore,
} from './adapters/stores/postgres/store.ts'
export {
  type IoredisLike,
  type NodeRedisLike,
  type RedisLike,
  type RedisStoreOptions,
  redisStore,
} from './adapters/stores/redis/store.ts'
export type { Attributes, ManagementCall, ManagementOptions } from './authlete/options.ts'
export { createManagementRouter } from './authlete/router.ts'
export { type Backchannel, createBackchannel } from './backchannel.ts'
export type * from './contracts/contracts.ts'
export * from './core/errors.ts'
export type { BackchannelEvent, Logger } from './core/events.ts'
export type { NoticeStrings, NoticeTexts } from './core/noticeTexts.ts'
export type { OutboundOptions } from './core/outbound/outbound.ts'
export type * from './core/request.ts'
export type { RequestState } from './core/requestState.ts'
export type { DoctorOptions, Finding, HostApp } from './doctor/doctor.ts'
export type { Paths } from './options/paths.ts'
export type { BackchannelOptions, BindingMessagePolicy, NoticeOptions, TokenOptions } from './options/schema.ts'
export type { Decision } from './protocol/approval/complete.ts'
export type {
  CompletedAuthorized,
  CompletedOtherwise,
  Completion,
  ObjectOrText,
} from './protocol/approval/completionRequest.ts'
export type { Completed } from './protocol/approval/completionResult.ts'
export type { PageOptions, PlaceQuestion } from './protocol/approval/options.ts'
export type { DetailCard, DetailWords } from './protocol/approval/view/details.ts'
export type { Ask, Page, SignedOut, View } from './protocol/approval/view/model.ts'
export type { ClosedState, PageState } from './protocol/approval/view/state.ts'
export type { Theme, ThemeColors } from './protocol/approval/view/style.ts'
export type { PageStrings, PageTexts } from './protocol/approval/view/texts.ts'
export type { Binding } from './protocol/authorization/keyBinding.ts'
export { readClient } from './protocol/client/metadata.ts'
export type { Count, Limiter, LimiterFactory } from './protocol/limits/limiter.ts'
export type { Limits } from './protocol/limits/prompts.ts'
export type { ResendOptions, Resent } from './protocol/notice/resend.ts'
export type { Fallback } from './protocol/notice/route.ts'
export type { Undelivered } from './protocol/notification/notify.ts'
export {
  type LoginHintTokensOptions,
  type LoginHintTokenVerifier,
  loginHintTokens,
} from './protocol/request/loginHintToken.ts'
export { cibaGrantType } from './protocol/token/endpoint.ts'
export type { Grant, Granted } from './protocol/token/grant.ts'
export type { Introspection, MayIntrospect } from './protocol/token/introspection.ts'
export type { IssuedTokens, IssueTokens } from './protocol/token/issue.ts'
export type { MakeAccessToken, TokenResponse } from './protocol/token/mint.ts'
export type { IssueRefreshToken } from './protocol/token/refreshToken.ts'
export { type BackchannelRouter, createBackchannelRouter } from './router.ts'
