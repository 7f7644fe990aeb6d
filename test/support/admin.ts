import { SignJWT } from 'jose'
import { expect } from 'vitest'
import { createAdminAuth } from '../../src/http/admin-auth.ts'
import { createLogger } from '../../src/logger.ts'
import { ADMIN_ENDPOINTS } from '../../workers/admin.ts'
import type { OpsParts } from '../../workers/ops-app.ts'
import { type ApiReply, JWT_SECRET } from './api.ts'
import { send } from './http.ts'
import { startOps } from './ops.ts'

/** The tokens of ADMIN_TOKEN: a rotation is under way. */
export const ADMIN_TOKENS = ['the-new-token-of-the-administrator', 'the-old-token-of-the-administrator']

/** How the audit names who has the first of them. */
export const ADMIN = /^admin:[0-9a-f]{8}$/

type Call = { body?: unknown; headers?: Record<string, string> }
export type AdminApi = (method: string, path: string, call?: Call) => Promise<ApiReply>

/** The internal listener on a free port; gives a function that sends requests to `/admin`, by default with a token. */
export async function startAdmin(
  db: OpsParts['db'],
  { tokens = ADMIN_TOKENS, ...parts }: Partial<OpsParts> & { tokens?: string[] } = {},
): Promise<AdminApi> {
  const jwt = { secrets: [JWT_SECRET], jwksUrl: undefined, issuer: undefined, audience: undefined }
  const authenticateAdmin = createAdminAuth(tokens, jwt, createLogger({ logLevel: 'silent' }))
  const url = await startOps(db, { authenticateAdmin, ...parts })
  return async (method, path, { body, headers = { authorization: `Bearer ${ADMIN_TOKENS[0]}` } } = {}) => {
    const raw = typeof body === 'string' ? body : JSON.stringify(body)
    const reply = await send(`${url}/admin${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: raw }),
    })
    const answered = { ...reply, body: reply.body === '' ? undefined : JSON.parse(reply.body) }
    expectDocumented(method, `/admin${path}`, answered)
    return answered
  }
}

/** A JWT with these claims, signed as those of the API are. */
export async function bearer(
  claims: Record<string, unknown>,
  sub = 'ops-ann',
): Promise<{ authorization: string }> {
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime('1 hour')
  return { authorization: `Bearer ${await token.sign(new TextEncoder().encode(JWT_SECRET))}` }
}

function expectDocumented(method: string, path: string, { status, body }: ApiReply): void {
  const endpoint = ADMIN_ENDPOINTS.find(
    (one) =>
      one.method === method.toLowerCase() &&
      new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}(\\?|$)`).test(path),
  )
  if (!endpoint) return
  const documented = Object.keys({ ...endpoint.responses, ...endpoint.errors }).map(Number)
  expect(documented, `${method} ${path} answered ${status}`).toContain(status)
  if (status >= 400) expect(Math.floor(body.error_code / 10_000)).toBe(status)
}
