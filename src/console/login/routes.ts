import express, { type Request, type Response, Router } from 'express'
import { z } from 'zod'
import { ApiError } from '../../errors.ts'
import { refuseOtherSites } from '../../http/changes.ts'
import type { Logger } from '../../logger.ts'
import type { Logins } from '../../logins/logins.ts'
import { SESSION_SECONDS } from '../../logins/session-tokens.ts'
import { loadAssets } from '../ui/assets.ts'
import { createErrorPage } from '../ui/error-page.tsx'
import type { Shell } from '../ui/layout.tsx'
import { setPagePolicy } from '../ui/page-policy.ts'
import { type Attempt, createAttempts } from './attempts.ts'
import { localPath } from './local-path.ts'
import { renderLogin } from './login-page.tsx'
import { clearSessionCookie, readSessionCookie, setSessionCookie } from './session-cookie.ts'

const loginForm = z.object({
  name: z.string().max(200),
  password: z.string().max(1_000),
  next: z.unknown().optional(),
})

/** `GET /login` and `POST /login`, which begins a session, and `POST /logout`, which ends it. Needs no login. */
export function createLoginRoutes({ logins, log }: { logins: Logins; log: Logger }): Router {
  const assets = loadAssets('/login/assets')
  const shell: Shell = { assets: assets.urls, readOnly: true, person: undefined }
  const attempt = createAttempts(logins.logIn, log)
  const form = express.urlencoded({ extended: false, limit: '4kb' })
  const router = Router()
  router.use(['/login', '/logout'], setPagePolicy, (req, res, next) => {
    res.set('cache-control', 'no-store')
    refuseOtherSites(req)
    next()
  })
  router.get('/login/assets/:hash/:name', assets.serve)
  router.get('/login', (req, res) => showLogin(shell, logins, req, res))
  router.post('/login', form, (req, res) => logIn(shell, attempt, req, res))
  router.post('/logout', (req, res) => {
    clearSessionCookie(req, res)
    res.redirect(303, '/login?left=true')
  })
  router.use(
    ['/login', '/logout'],
    createErrorPage(() => shell, log),
  )
  return router
}

/** Whoever is logged in is led on. */
async function showLogin(shell: Shell, logins: Logins, req: Request, res: Response): Promise<void> {
  const next = localPath(req.query.next)
  const token = readSessionCookie(req)
  if (token && (await logins.resume(token))) return res.redirect(303, next)
  res.type('html').send(renderLogin(shell, { next, hasLeft: req.query.left === 'true' }))
}

async function logIn(shell: Shell, attempt: Attempt, req: Request, res: Response): Promise<void> {
  const { data, success } = loginForm.safeParse(req.body ?? {})
  if (!success) throw new ApiError('INVALID_INPUT', 'The form was not filled in on the login page.')
  const next = localPath(data.next)
  const outcome = await attempt(req, data.name, data.password)
  if (outcome.token !== undefined) {
    setSessionCookie(req, res, outcome.token, SESSION_SECONDS)
    return res.redirect(303, next)
  }
  const { problem, retryAfter } = outcome
  if (retryAfter !== undefined) res.set('retry-after', String(retryAfter))
  res
    .status(retryAfter === undefined ? 401 : 429)
    .type('html')
    .send(renderLogin(shell, { next, name: data.name, problem }))
}
