import type { Request } from 'express'
import { ApiError } from '../errors.ts'

/** True unless the method only reads. */
export function isChange(req: Request): boolean {
  return req.method !== 'GET' && req.method !== 'HEAD'
}

/**
 * Refuses a change that a page of another site asks for: browsers attach credentials and cookies to such requests, too
 * (CSRF).
 * @throws ApiError FORBIDDEN
 */
export function refuseOtherSites(req: Request): void {
  if (isChange(req) && isFromOtherSite(req))
    throw new ApiError('FORBIDDEN', 'A request from another site may not change anything.')
}

/** Current browsers send `sec-fetch-site`, older ones `origin`; clients that are not browsers send neither. */
function isFromOtherSite(req: Request): boolean {
  const site = req.get('sec-fetch-site')
  if (site !== undefined) return site === 'cross-site' || site === 'same-site'
  const origin = req.get('origin')
  return origin !== undefined && hostOf(origin) !== req.get('host')
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
