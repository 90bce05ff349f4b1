import { randomUUID } from 'node:crypto'
import express, { Router } from 'express'
import type { Session, SessionUser, User } from 'express-ciba'

/** A stand-in for the login you already have: one button per user, sessions in memory. */
export function login(users: readonly User[]) {
  const sessions = new Map<string, SessionUser>()
  const router = Router()

  router.get('/login', (req, res) => {
    const next = text(String(req.query.next ?? '/'))
    const buttons = users.map(
      ({ sub, name }) => `<button name="sub" value="${text(sub)}">Sign in as ${text(name ?? sub)}</button>`,
    )
    res.send(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Sign in</title>
<body style="font:1.1rem system-ui;max-width:24rem;margin:4rem auto;padding:0 1rem"><h1>Sign in</h1>
<p>This stands for the login page that you have.</p>
<form method="post"><input type="hidden" name="next" value="${next}">${buttons.join('')}</form></body></html>`)
  })

  router.post('/login', express.urlencoded(), (req, res) => {
    const { sub, next } = req.body as Record<string, string>
    if (!users.some((user) => user.sub === sub)) return void res.sendStatus(400)
    const id = randomUUID()
    sessions.set(id, { sub: String(sub), authTime: Math.floor(Date.now() / 1000), amr: ['pwd'] })
    res.cookie('demo-session', id, { httpOnly: true, sameSite: 'lax' })
    res.redirect(303, /^\/(?![/\\])/.test(next ?? '') ? String(next) : '/')
  })

  return {
    router,
    session: {
      current: ({ req }) => sessions.get(/(?:^|; )demo-session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''),
      loginUrl: ({ returnTo }) => `/login?next=${encodeURIComponent(returnTo)}`,
    } satisfies Session,
  }
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`)
}
