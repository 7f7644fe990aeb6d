import type { CookieOptions, Request, Response } from 'express'

/** `session`: of who is logged in. `provider`: of who has gone to the OpenID provider to log in. */
const NAMES = { session: 'usher_session', provider: 'usher_login' } as const
type Cookie = keyof typeof NAMES

/** The value of a cookie that the request carries. */
export function readCookie(req: Request, cookie: Cookie): string | undefined {
  const start = `${NAMES[cookie]}=`
  const pairs = (req.get('cookie') ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
}

/** Gives the browser a cookie for `seconds`. */
export function setCookie(
  req: Request,
  res: Response,
  cookie: Cookie,
  { value, seconds }: { value: string; seconds: number },
): void {
  res.cookie(NAMES[cookie], value, { ...attributesFor(req), maxAge: seconds * 1_000 })
}

/** Takes a cookie from the browser. */
export function clearCookie(req: Request, res: Response, cookie: Cookie): void {
  res.clearCookie(NAMES[cookie], attributesFor(req))
}

/**
 * Scripts cannot read the cookies, and other sites cannot have them sent with a form. Browsers send them by TLS only if they
 * got them by TLS, which the proxy in front says.
 */
function attributesFor(req: Request): CookieOptions {
  const [scheme] = (req.get('x-forwarded-proto') ?? '').split(',')
  return { httpOnly: true, sameSite: 'lax', path: '/', secure: scheme?.trim().toLowerCase() === 'https' }
}
