// The names that code in the documents takes for granted: what the reader has, and what a fragment would have imported.
import type { Server } from 'node:http'
import type { Express as App } from 'express'
import type * as ciba from 'express-ciba'
import type * as mail from 'nodemailer'

declare global {
  namespace Express {
    interface Request {
      /** As passport and other logins leave it. */
      user?: { id: string; sub: string }
      session: { authTime: number }
    }
  }

  const createBackchannelRouter: typeof ciba.createBackchannelRouter
  const emailChannel: typeof ciba.emailChannel
  const linkChannel: typeof ciba.linkChannel
  const smsChannel: typeof ciba.smsChannel
  const nodemailer: typeof mail
  const pino: typeof import('pino').pino
  const twilio: typeof import('twilio')

  const app: App
  const server: Server
  const issuer: string
  const options: ciba.BackchannelOptions
  const clients: ciba.Clients
  const users: ciba.Users
  const session: ciba.Session
  const store: ciba.BackchannelStore
  const keys: ciba.JwkSet
  const privateJwks: ciba.JwkSet
  const router: ciba.BackchannelRouter
  const backchannel: ciba.Backchannel
  const db: {
    clients: { find(clientId: string): Promise<ciba.ClientMetadata | undefined> }
    users: {
      byHint(hint: ciba.Hint): Promise<ciba.User | undefined>
      findBy(type: ciba.Hint['type'], value: string): Promise<ciba.User | undefined>
    }
  }

  const accountSid: string
  const authToken: string
  const smtpUrl: string
  const transport: ciba.MailTransport
  const audit: { append(entry: object): Promise<void> }
  const firebase: {
    send(message: { token: string; data: Record<string, string> }): Promise<{ id: string }>
    ping(): Promise<void>
  }
  const myServer: {
    accessToken(subject: string, clientId: string, scope: readonly string[], binding: ciba.KeyBinding): Promise<string>
    refreshToken(grant: ciba.Grant): Promise<string>
  }
  function isServiceToken(token: string, serviceId: string): boolean
}
