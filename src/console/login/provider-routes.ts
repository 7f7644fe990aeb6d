import { type Request, type Response, Router } from 'express'
import type { ProviderLogins, Refusal } from '../../logins/provider-logins.ts'
import type { Shell } from '../ui/layout.tsx'
import { clearCookie, readCookie, setCookie } from './cookies.ts'
import { localPath } from './local-path.ts'
import { renderLogin, type Ways } from './login-page.tsx'

type Parts = { shell: Shell; ways: Ways; provider: ProviderLogins }

/** How long somebody may take at the provider. */
const AWAY_SECONDS = 600

const PROBLEMS: Record<Refusal['refusal'], string> = {
  failed: 'The login was not completed. Try again.',
  nameless:
    'The provider does not say who you are: it has no e-mail address of yours that it has verified. Ask whoever runs it.',
  'no role':
    'You have no role in Usher. Ask whoever runs it for a line in OPS_USERS_FILE, or for a role at the provider, and log in again.',
}

/** `GET /login/provider`, which leads to the OpenID provider, and `GET /login/callback`, to which the provider leads back. */
export function createProviderRoutes(parts: Parts): Router {
  const router = Router()
  router.get('/login/provider', (req, res) => leave(parts, req, res))
  router.get('/login/callback', (req, res) => comeBack(parts, req, res))
  return router
}

async function leave({ shell, ways, provider }: Parts, req: Request, res: Response): Promise<void> {
  const next = localPath(req.query.next)
  const away = await provider.begin(next)
  if (!away) {
    const problem = 'The login provider does not answer. Try again in a moment.'
    return void res
      .status(503)
      .type('html')
      .send(renderLogin(shell, ways, { next, problem }))
  }
  setCookie(req, res, 'provider', { value: away.memo, seconds: AWAY_SECONDS })
  res.redirect(303, away.url)
}

async function comeBack({ shell, ways, provider }: Parts, req: Request, res: Response): Promise<void> {
  const { search } = new URL(req.originalUrl, 'http://localhost')
  const back = await provider.end(readCookie(req, 'provider') ?? '', search)
  clearCookie(req, res, 'provider')
  if (back.session) {
    setCookie(req, res, 'session', { value: back.session.token, seconds: back.session.seconds })
    return res.redirect(303, localPath(back.next))
  }
  const status = back.refusal === 'failed' ? 400 : 403
  const problem = (back.name ? `You are ${back.name} at the provider. ` : '') + PROBLEMS[back.refusal]
  res
    .status(status)
    .type('html')
    .send(renderLogin(shell, ways, { next: '/console', problem }))
}
