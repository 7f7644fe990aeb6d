import express, { type Request, type Response, Router } from 'express'
import { z } from 'zod'
import { ApiError } from '../../errors.ts'
import { refuseOtherSites } from '../../http/changes.ts'
import type { Logger } from '../../logger.ts'
import type { Logins } from '../../logins/logins.ts'
import { loadAssets } from '../ui/assets.ts'
import { createErrorPage } from '../ui/error-page.tsx'
import type { Shell } from '../ui/layout.tsx'
import { setPagePolicy } from '../ui/page-policy.ts'
import { type Attempt, createAttempts } from './attempts.ts'
import { clearCookie, readCookie, setCookie } from './cookies.ts'
import { localPath } from './local-path.ts'
import { renderLogin, type Ways } from './login-page.tsx'
import { createProviderRoutes } from './provider-routes.ts'

const loginForm = z.object({
  name: z.string().max(200),
  password: z.string().max(1_000),
  next: z.unknown().optional(),
})

/**
 * `GET /login` and `POST /login`, which begins a session; `POST /logout`, which ends it; `/login/provider`, where there is an
 * OpenID provider. Needs no login.
 */
export function createLoginRoutes({ logins, log }: { logins: Logins; log: Logger }): Router {
  const assets = loadAssets('/login/assets')
  const shell: Shell = { assets: assets.urls, readOnly: true, person: undefined }
  const ways: Ways = { password: logins.havePasswords, provider: logins.provider !== undefined }
  const attempt = createAttempts(logins.logIn, log)
  const form = express.urlencoded({ extended: false, limit: '4kb' })
  const router = Router()
  router.use(['/login', '/logout'], setPagePolicy, (req, res, next) => {
    res.set('cache-control', 'no-store')
    refuseOtherSites(req)
    next()
  })
  router.get('/login/assets/:hash/:name', assets.serve)
  router.get('/login', async (req, res) => {
    const next = localPath(req.query.next)
    if (await isLoggedIn(logins, req)) return res.redirect(303, next)
    res.type('html').send(renderLogin(shell, ways, { next, hasLeft: req.query.left === 'true' }))
  })
  router.post('/login', form, (req, res) => logIn({ shell, ways, attempt }, req, res))
  router.post('/logout', (req, res) => {
    clearCookie(req, res, 'session')
    res.redirect(303, '/login?left=true')
  })
  if (logins.provider) router.use(createProviderRoutes({ shell, ways, provider: logins.provider }))
  router.use(
    ['/login', '/logout'],
    createErrorPage(() => shell, log),
  )
  return router
}

async function isLoggedIn(logins: Logins, req: Request): Promise<boolean> {
  const token = readCookie(req, 'session')
  return token !== undefined && (await logins.resume(token)) !== undefined
}

type LogIn = { shell: Shell; ways: Ways; attempt: Attempt }

async function logIn({ shell, ways, attempt }: LogIn, req: Request, res: Response): Promise<void> {
  const { data, success } = loginForm.safeParse(req.body ?? {})
  if (!success) throw new ApiError('INVALID_INPUT', 'The form was not filled in on the login page.')
  const next = localPath(data.next)
  const outcome = await attempt(req, data.name, data.password)
  if (outcome.session !== undefined) {
    const { token: value, seconds } = outcome.session
    setCookie(req, res, 'session', { value, seconds })
    return res.redirect(303, next)
  }
  const { problem, retryAfter } = outcome
  if (retryAfter !== undefined) res.set('retry-after', String(retryAfter))
  res
    .status(retryAfter === undefined ? 401 : 429)
    .type('html')
    .send(renderLogin(shell, ways, { next, name: data.name, problem }))
}
