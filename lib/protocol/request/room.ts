import { createReceive } from '../../authlete/receive.ts'
import { createTicketSteps } from '../../authlete/ticket.ts'
import type { BackchannelStore, Channel, Client, User } from '../../contracts/contracts.ts'
import type { Jws } from '../../core/crypto/jws.ts'
import type { Vault } from '../../core/crypto/vault.ts'
import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import type { RequestRecord } from '../../core/request.ts'
import type { ProfileRules } from '../../options/profiles.ts'
import type { Settings } from '../../options/schema.ts'
import { createLimits } from '../limits/prompts.ts'
import { createResend } from '../notice/resend.ts'
import { createRoutes } from '../notice/route.ts'
import { createSend, type SendParts } from '../notice/send.ts'
import { createBegin, createValidate, type ValidateParts } from './begin.ts'
import { createCheckBindingMessage } from './bindingMessage.ts'
import { createDraft } from './draft.ts'
import { createReadExtras, type ExtrasParts } from './extras.ts'
import { createReadIdTokenHint } from './idTokenHint.ts'
import { createIssue, type IssueParts } from './issue.ts'
import { createParse } from './parameters.ts'
import { readContext } from './requestContext.ts'
import { createReadParameters, type SignedParts } from './signedRequest.ts'
import { createFindUser, type FindUserParts } from './user.ts'
import { createCheckUserCode } from './userCode.ts'

/** What the room needs of the others. */
export interface RequestRoomParts
  extends Pick<ValidateParts, 'authenticate' | 'readKey' | 'requireServable'>,
    Pick<ExtrasParts, 'readResources' | 'readAuthorizationDetails'>,
    Pick<SignedParts, 'keysFor'>,
    Pick<FindUserParts, 'isBlocked' | 'isWanted'>,
    Pick<IssueParts, 'linkOf' | 'linkTellsAuthReqId' | 'keepJob'>,
    Pick<SendParts, 'statusUrl' | 'messageFor' | 'fail'> {
  readonly settings: Settings
  readonly rules: ProfileRules
  readonly store: BackchannelStore
  readonly vault: Vault
  readonly emit: Emit
  readonly guard: Guard
  readonly channels: readonly Channel[]
  /** Algorithms of signed requests. */
  readonly algs: readonly string[]
  findClient(clientId: string): Promise<Client | undefined>
  findTicket(ticket: string): Promise<RequestRecord | undefined>
  /** Reads an `id_token_hint` in place of us, where another server issues the ID tokens. */
  readonly readIdTokenHint?: FindUserParts['readIdTokenHint'] | undefined
  /** Is an ID token signed with one of our keys? */
  isOurs(jws: Jws): Promise<boolean>
  /** The host's subject behind a `sub` that this client was given. */
  subjectOf(client: Client, sub: string): Promise<string | undefined>
}

/** Everything from the client's call to the notice that the user gets, put together. */
export function createRequestRoom(parts: RequestRoomParts) {
  const { settings, rules, store, vault, emit, guard, channels } = parts
  const { issuer, clock, users } = settings
  const limits = createLimits({ ...settings, guard, emit })
  const routes = createRoutes({ ...settings, ...settings.notices, channels })
  const sender = createSend({
    ...settings.notices,
    ...parts,
    clock,
    telemetry: settings.telemetry,
    tellBindingMessage: !settings.page.choices,
  })
  const findUserBySub = async (sub: string, client: Client): Promise<User | undefined> => {
    const user = await guard('users', () => users.find({ type: 'sub', value: sub }, client.metadata))
    return user?.sub === sub ? user : undefined
  }
  const audience = { ...parts, findUser: findUserBySub, routeFor: routes.routeFor }
  const checkBindingMessage = createCheckBindingMessage({
    policy: settings.bindingMessage,
    required: settings.requireBindingMessage,
    contextRequired: rules.requireContext,
  })
  const validate = createValidate({
    ...parts,
    deliveryModes: settings.deliveryModes,
    countRequest: limits.countRequest,
    readParameters: createReadParameters({ ...parts, clock, issuer, required: settings.requireSignedRequests }),
    parse: createParse({
      scopes: settings.scopes,
      acrValues: settings.acrValues,
      checkBindingMessage,
      readExtras: createReadExtras({
        ...parts,
        acrValues: settings.acrValues,
        grantManagement: settings.issueTokens !== undefined,
      }),
    }),
  })
  const readIdTokenHint =
    parts.readIdTokenHint ?? createReadIdTokenHint({ ...parts, issuer, clock, maxAgeDays: settings.idTokenHintDays })
  const maxExpirySeconds = settings.maxExpirySeconds ?? settings.expirySeconds
  const draft = createDraft({ ...settings, vault, maxExpirySeconds })
  const common = { ...parts, ...limits, clock, draft, validate, readIdTokenHint }

  const findUser = createFindUser({ ...settings, ...parts, ...limits, readIdTokenHint })
  const checkUserCode = createCheckUserCode({
    users,
    guard,
    emit,
    limiter: settings.limiter,
    supported: settings.userCodes,
    attempts: 5,
    lockSeconds: 900,
  })

  return {
    begin: createBegin({ validate, findUser, checkUserCode }),
    /** The steps of `begin`, for a server that has authenticated the client and read the rest itself. */
    steps: {
      countRequest: limits.countRequest,
      readContext,
      checkBindingMessage,
      readAuthorizationDetails: parts.readAuthorizationDetails,
      findUser,
      checkUserCode,
    },
    issue: createIssue({ ...settings, ...parts, ...limits, draft, chooseRoute: routes.chooseRoute, send: sender.send }),
    /** The steps of a request whose user is looked up, and whose client is notified, by a trusted backend. */
    tickets: {
      receive: createReceive({ ...common, userCodes: settings.userCodes }),
      ...createTicketSteps({ ...common, graceSeconds: settings.graceSeconds, find: parts.findTicket }),
    },
    resend: createResend({ ...settings.notices, ...audience, clock, tryRoutes: sender.tryRoutes }),
    /** Learns from the user's answer. */
    learn: limits.learn,
    /** What the report of a carrier needs. */
    noticeStatus: { ...audience, store, clock, emit, channels, send: sender.send },
    /** Resolves when no notice is under way. */
    settled: (): Promise<void> => sender.settled(),
  }
}
