// The router and its engine

export {
  type AskingEngine,
  type Backchannel,
  createBackchannel,
  type Deliveries,
  type Metadata,
} from './backchannel.ts'
export { type BackchannelRouter, createBackchannelRouter } from './router.ts'

// What a host calls besides

export type { RegisteredClient } from './core/client.ts'
export { BackchannelError, type BackchannelErrorOptions, ChannelError, errorStatus } from './core/errors.ts'
export type { DoctorOptions, Finding, HostApp } from './doctor/doctor.ts'
export { readClient } from './protocol/client/metadata.ts'
export { cibaGrantType } from './protocol/client/metadataSchema.ts'
export type { ResendOptions, Resent } from './protocol/notice/resend.ts'
export { type LoginHintTokensOptions, loginHintTokens } from './protocol/request/loginHintToken.ts'

// Channels

export { type ConsoleChannelOptions, consoleChannel } from './adapters/channels/console.ts'
export { type EmailChannelOptions, emailChannel, type Mail, type MailTransport } from './adapters/channels/email.ts'
export { linkChannel } from './adapters/channels/link.ts'
export {
  type SmsChannelOptions,
  type SmsReach,
  smsChannel,
  type TextSender,
  type TwilioClient,
  type TwilioMessage,
  type TwilioSender,
} from './adapters/channels/sms.ts'
export { readTwilioStatus, smsFailure, type TwilioStatusCall } from './adapters/channels/twilio.ts'

// The store and the queue of one process

export { type InProcessQueueOptions, inProcessQueue } from './adapters/queues/inProcess.ts'
export type { RetryOptions } from './adapters/queues/retry.ts'
export { memoryStore } from './adapters/stores/memory.ts'

// Options

export type {
  Address,
  ApprovalOptions,
  BackchannelOptions,
  BindingMessagePolicy,
  ClientAuthOptions,
  Count,
  Counter,
  CounterFactory,
  DeliveryOptions,
  Fallback,
  InteropOptions,
  LimitOptions,
  NoticeOptions,
  OutboundOptions,
  PageOptions,
  Paths,
  PollingOptions,
  Profile,
  RequestOptions,
  TokenLifetimes,
  TokenOptions,
} from './contracts/options.ts'

// What a host writes: users, session, clients

export type {
  Awaitable,
  ClientAuthMethod,
  ClientMetadata,
  Clients,
  DeliveryMode,
  GetCertificate,
  Jwk,
  JwkSet,
} from './contracts/clients.ts'
export type { LoginNeed, Session, SessionUser } from './contracts/session.ts'
export type { Hint, LoginHintTokenVerifier, User, Users } from './contracts/users.ts'

// Requests and their answers

export type { ApproveInput, DenyInput, FailInput, Pair, TokenChanges } from './contracts/approval.ts'
export type { ErrorCode } from './contracts/errors.ts'
export type {
  Answer,
  Approval,
  AuthorizationDetail,
  GrantRecord,
  Move,
  RecordChanges,
  Refusal,
  RequestDetails,
  RequestRecord,
  RequestState,
  RequestStatus,
  Rotation,
  TokenOverrides,
  TokenProperty,
} from './contracts/request.ts'

// The page

export type {
  ClosedState,
  DetailCard,
  DetailWords,
  LocationQuery,
  Page,
  PageState,
  PageStrings,
  PageTexts,
  Question,
  SignedOut,
  Theme,
  ThemeColors,
  View,
} from './contracts/page.ts'

// Tokens

export type {
  DetailSchema,
  DetailType,
  DetailTypes,
  Grant,
  GrantAnswer,
  GrantCall,
  Granted,
  Introspection,
  IssuedTokens,
  IssueRefreshToken,
  IssueTokens,
  KeyBinding,
  MakeAccessToken,
  MayIntrospect,
  Resource,
  Resources,
  ScopeClaims,
  Seconds,
  TokenResponse,
} from './contracts/tokens.ts'

// Channels, stores, queues and telemetry of one's own

export type {
  Channel,
  ChannelFailure,
  Form,
  Notice,
  NoticeStatus,
  NoticeStrings,
  NoticeTexts,
  Sent,
  StatusCall,
} from './contracts/channel.ts'
export type {
  DeliveryJob,
  DeliveryQueue,
  DeliveryResult,
  DeliveryRun,
  FailedDelivery,
  Undelivered,
} from './contracts/queue.ts'
export type { AnswerBus, AnswerSubscriber, BackchannelStore, Polled, Poller } from './contracts/store.ts'
export type { BackchannelEvent, Logger, Step, Telemetry } from './contracts/telemetry.ts'
