import type { RequestHandler } from 'express'

/** Pages load files of this origin only, have no inline script or style, and cannot be framed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'connect-src', 'form-action'].map((what) => `${what} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Sets the content security policy of the console's pages. */
export const setPagePolicy: RequestHandler = (_req, res, next) => {
  res.set('content-security-policy', CONTENT_SECURITY_POLICY)
  next()
}
