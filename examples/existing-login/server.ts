/**
 * A login server as many teams have it: Express, passport-local, express-session, users in PostgreSQL.
 * `DATABASE_URL=postgres://… npx tsx examples/existing-login/server.ts`. What CIBA adds is the block that is marked.
 */
import { createHash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import express from 'express'
import { cibaGrantType, consoleChannel, createBackchannelRouter, linkChannel } from 'express-ciba'
import session from 'express-session'
import passport from 'passport'
import { Strategy } from 'passport-local'
import pg from 'pg'
import { z } from 'zod'

interface Row {
  readonly id: string
  readonly email: string
  readonly phone: string | null
  readonly password: string
  readonly locked: boolean
}

const port = Number(process.env.PORT ?? 3000)
const issuer = `http://127.0.0.1:${port}`
const db = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const userBy = async (column: 'id' | 'email' | 'phone', value: string): Promise<Row | undefined> =>
  (await db.query<Row>(`SELECT * FROM users WHERE ${column} = $1`, [value])).rows[0]

function passwordHash(password: string, salt = randomBytes(16).toString('hex')): string {
  return `${salt}:${scryptSync(password, salt, 32).toString('hex')}`
}

await db.query(`CREATE TABLE IF NOT EXISTS users (
  id text PRIMARY KEY, email text UNIQUE NOT NULL, phone text, password text NOT NULL, locked boolean NOT NULL DEFAULT false)`)
await db.query('INSERT INTO users VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
  'u-1001',
  'alice@example.com',
  '+15550100',
  passwordHash('wonderland'),
])

passport.use(
  new Strategy({ usernameField: 'email' }, async (email, password, done) => {
    const user = await userBy('email', email)
    const [salt = '', hash = ''] = user?.password.split(':') ?? []
    const given = passwordHash(password, salt).split(':')[1] ?? ''
    const right = hash !== '' && timingSafeEqual(Buffer.from(hash), Buffer.from(given))
    done(null, right && !user?.locked ? (user ?? false) : false)
  }),
)
passport.serializeUser((user, done) => done(null, (user as Row).id))
passport.deserializeUser(async (id: string, done) => done(null, (await userBy('id', id)) ?? false))

const app = express()
app.use(express.urlencoded({ extended: true }))
app.use(
  session({
    secret: process.env.SESSION_SECRET ?? randomBytes(32).toString('hex'),
    resave: false,
    saveUninitialized: false,
  }),
)
app.use(passport.session())

app.get('/login', (_req, res) => {
  res.send(`<!doctype html><html lang="en"><title>Sign in</title><form method="post">
<label>E-mail <input name="email"></label> <label>Password <input name="password" type="password"></label> <button>Sign in</button></form></html>`)
})
app.post('/login', passport.authenticate('local', { failureRedirect: '/login', keepSessionInfo: true }), (req, res) => {
  Object.assign(req.session, { signedInAt: Math.floor(Date.now() / 1000) })
  res.redirect(303, Reflect.get(req.session, 'next') ?? '/')
})
app.get('/', (req, res) => void res.json({ user: (req.user as Row | undefined)?.email ?? null }))

// ── CIBA, from here …
const till = {
  client_id: 'till',
  client_secret: 'a-secret-for-the-demo-only-0123456789',
  client_name: 'Corner Bank till',
  grant_types: [cibaGrantType],
  backchannel_token_delivery_mode: 'poll',
} as const
const columns = { email: 'email', phone: 'phone', user_id: 'id', sub: 'id', login_hint_token: 'id' } as const

const payment = z.strictObject({
  type: z.literal('payment'),
  payee: z.string().max(100),
  amount: z.string().regex(/^\d+\.\d\d$/),
  currency: z.literal('EUR'),
})

const ciba = createBackchannelRouter({
  issuer,
  clients: { find: ({ clientId }) => (clientId === till.client_id ? till : undefined) },
  users: {
    async find({ hint: { type, value } }) {
      const user = await userBy(columns[type], value)
      return user && { sub: user.id, email: user.email, ...(user.phone ? { phone_number: user.phone } : {}) }
    },
    isActive: async ({ sub }) => (await userBy('id', sub))?.locked === false,
  },
  session: {
    current: ({ req }) =>
      req.user && { sub: (req.user as Row).id, authTime: Reflect.get(req.session, 'signedInAt'), amr: ['pwd'] },
    loginUrl: ({ returnTo }) => `/login/for?next=${encodeURIComponent(returnTo)}`,
  },
  channels: [consoleChannel(), linkChannel()], // e-mail and SMS in real life
  requests: { authorizationDetails: { payment } },
  page: {
    details: {
      payment: ({ detail }) => ({
        title: 'Payment',
        rows: [
          ['To', String(detail.payee)],
          ['Amount', `${detail.amount} ${detail.currency}`],
        ],
      }),
    },
  },
})
app.use(ciba)
app.get('/login/for', (req, res) => {
  // only back to the approval page: the address in the query is not trusted
  if (/^\/auth\/backchannel\/approve\/[\w-]+(\?again)?$/.test(String(req.query.next))) {
    Object.assign(req.session, { next: req.query.next })
  }
  res.redirect(303, '/login')
})

// for the screen of the call centre, which proves itself by a token of its own
const staffToken = process.env.STAFF_TOKEN
if (staffToken !== undefined) {
  const sha256 = (text: string) => createHash('sha256').update(text).digest()
  const staff = express.Router()
  staff.use((req, res, next) => {
    if (timingSafeEqual(sha256(req.get('authorization') ?? ''), sha256(`Bearer ${staffToken}`))) next()
    else res.sendStatus(401)
  })
  staff.post('/requests/:id/resend', async (req, res) => {
    await ciba.backchannel.resend(req.params.id)
    res.sendStatus(204)
  })
  staff.post('/requests/:id/cancel', async (req, res) => {
    await ciba.backchannel.cancel(req.params.id)
    res.sendStatus(204)
  })
  app.use('/staff', staff)
}
// ── … to here

app.listen(port, '127.0.0.1', () => console.log(`existing login with CIBA at ${issuer}`))
