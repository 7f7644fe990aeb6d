import type { CookieOptions, Request, Response } from 'express'

const NAME = 'usher_session'

/** The token of the session that the request carries. */
export function readSessionCookie(req: Request): string | undefined {
  const pairs = (req.get('cookie') ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${NAME}=`))?.slice(NAME.length + 1)
}

/** Gives the browser a session for `seconds`. */
export function setSessionCookie(req: Request, res: Response, token: string, seconds: number): void {
  res.cookie(NAME, token, { ...attributesFor(req), maxAge: seconds * 1_000 })
}

/** Takes the session from the browser. */
export function clearSessionCookie(req: Request, res: Response): void {
  res.clearCookie(NAME, attributesFor(req))
}

/**
 * Scripts cannot read the cookie, and other sites cannot have it sent with a form. Browsers send it by TLS only if they got it
 * by TLS, which the proxy in front says.
 */
function attributesFor(req: Request): CookieOptions {
  const [scheme] = (req.get('x-forwarded-proto') ?? '').split(',')
  return { httpOnly: true, sameSite: 'lax', path: '/', secure: scheme?.trim().toLowerCase() === 'https' }
}
