import { describe, expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createLogins } from '../../src/logins/logins.ts'
import { createTestDatabase } from '../support/database.ts'
import { type Reply, send } from '../support/http.ts'
import { HASH, usersFile } from '../support/logins.ts'
import { LOGIN, startOps } from '../support/ops.ts'
import { createOrg, SECRETS_KEY } from '../support/org.ts'
import { CLIENT, type Claims, startProvider } from '../support/provider.ts'

const { db } = await createTestDatabase()
const [acme, globex] = [await createOrg(db), await createOrg(db)]
const provider = await startProvider()
const REDIRECT_URI = 'http://ops.example.com/login/callback'
provider.register(REDIRECT_URI)

/** The ops listener with the provider; `lines`: the log. */
async function start({ people = undefined as string[] | undefined, withClaims = true } = {}) {
  provider.set({ isDown: false })
  const file = people && (await usersFile(...people))
  const lines: string[] = []
  const log = createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(line) })
  const claims = {
    user: 'email',
    role: withClaims ? 'roles' : undefined,
    orgs: withClaims ? 'orgs' : undefined,
  }
  const logins = createLogins({
    login: file && LOGIN,
    usersFile: file?.path,
    oidc: {
      ...{ issuer: provider.issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret },
      ...{ redirectUri: REDIRECT_URI, scope: 'openid email', claims },
    },
    secretsKey: Buffer.from(SECRETS_KEY, 'base64'),
    log,
  })
  const url = await startOps(db, { login: file && LOGIN, logins, log })
  return { url, file, lines }
}

/** A browser: it keeps cookies, for all hosts alike, and follows to the path where the console would be. */
function createBrowser(url: string) {
  const cookies = new Map<string, string>()
  const open = async (address: string): Promise<Reply> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await send(address, { headers: { cookie, accept: 'text/html' } })
    for (const line of reply.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return reply
  }
  /** Opens the page and follows to the provider; gives the address at which the provider leads back. */
  const leave = async (path = '/login/provider'): Promise<{ away: URL; back: string }> => {
    const { headers } = await open(url + path)
    const away = new URL(headers.location ?? '')
    let next = away.href
    while (!next.startsWith(REDIRECT_URI)) {
      const reply = await open(next)
      if (!reply.headers.location) throw new Error(`the provider answered ${reply.status}: ${reply.body}`)
      next = new URL(reply.headers.location, next).href
    }
    return { away, back: next.replace('http://ops.example.com', url) }
  }
  return { open, leave, cookies, logIn: async (path?: string) => open((await leave(path)).back) }
}

const VERIFIED: Claims = { email: 'ann@example.com', email_verified: true }

describe('a login at an OpenID provider', () => {
  test('gives the role and the orgs of the claims, for an hour, by a code with PKCE, state and nonce', async () => {
    provider.set({ claims: { ...VERIFIED, roles: ['viewer'], orgs: [acme.id] } })
    const { url, lines } = await start()
    const page = await send(`${url}/login?next=${encodeURIComponent('/console/team')}`)
    expect(page.body).toContain('href="/login/provider?next=%2Fconsole%2Fteam"')
    expect(page.body).not.toContain('type="password"')
    const browser = createBrowser(url)
    const { away, back } = await browser.leave('/login/provider?next=%2Fconsole%2Fteam')
    expect(away.origin).toBe(provider.issuer)
    expect(Object.fromEntries(away.searchParams)).toMatchObject({
      ...{ response_type: 'code', client_id: CLIENT.id, redirect_uri: REDIRECT_URI, scope: 'openid email' },
      ...{ code_challenge_method: 'S256', code_challenge: expect.stringMatching(/^[\w-]{43}$/) },
      ...{ state: expect.stringMatching(/^[\w-]{40,}$/), nonce: expect.stringMatching(/^[\w-]{40,}$/) },
    })
    const reply = await browser.open(back)
    expect([reply.status, reply.headers.location]).toEqual([303, '/console/team'])
    expect(reply.headers['set-cookie']?.find((line) => line.startsWith('usher_session='))).toMatch(
      /Max-Age=3600; .*HttpOnly; SameSite=Lax/,
    )
    const team = await browser.open(`${url}/console/team`)
    expect([team.status, team.body]).toEqual([200, expect.stringContaining('ann@example.com')])
    expect(team.body).toContain('read-only')
    expect((await browser.open(`${url}/console/team?org=${globex.id}`)).status).toBe(404)
    expect(lines.join()).not.toMatch(/canary/)
  })

  test('gives what the users file says to a person of the file, as long as the file says it', async () => {
    provider.set({ claims: { ...VERIFIED, roles: ['viewer'], orgs: [acme.id] } })
    const { url, file } = await start({ people: ['Ann@example.com operator * -', `ben viewer * ${HASH}`] })
    const browser = createBrowser(url)
    const reply = await browser.logIn()
    expect([reply.status, reply.headers.location]).toEqual([303, '/console'])
    const console = await browser.open(`${url}/console`)
    expect([console.status, console.body.includes('read-only')]).toEqual([200, false])
    await file?.write(`ben viewer * ${HASH}`)
    expect((await browser.open(`${url}/console`)).status).toBe(303)
  })

  test('is refused to a person without a role, with a page that says what to do', async () => {
    for (const [claims, people] of [
      [VERIFIED, undefined],
      [{ ...VERIFIED, roles: ['admin'], orgs: ['*'] }, undefined],
      [{ ...VERIFIED, roles: ['viewer'] }, undefined],
      [VERIFIED, [`ben viewer * ${HASH}`]],
    ] as [Claims, string[] | undefined][]) {
      provider.set({ claims })
      const { url } = await start({ people })
      const browser = createBrowser(url)
      const { status, body } = await browser.logIn()
      expect([status, body]).toEqual([403, expect.stringContaining('You have no role in Usher.')])
      expect([...browser.cookies.keys()].filter((name) => name.startsWith('usher'))).toEqual([])
    }
  })

  test('takes an e-mail address that the provider has not verified for that of nobody', async () => {
    const people = ['ann@example.com operator * -']
    provider.set({
      claims: { email: 'ann@example.com', email_verified: false, roles: ['operator'], orgs: ['*'] },
    })
    const { url } = await start({ people })
    const { status, body } = await createBrowser(url).logIn()
    expect([status, body]).toEqual([403, expect.stringContaining('does not say who you are')])
  })

  test('counts once, in the browser in which it began, and with the state that it began with', async () => {
    provider.set({ claims: { ...VERIFIED, roles: ['viewer'], orgs: ['*'] } })
    const { url, lines } = await start()
    const browser = createBrowser(url)
    const { back } = await browser.leave()
    expect((await createBrowser(url).open(back)).status).toBe(400)
    const memo = browser.cookies.get('usher_login') ?? ''
    const forged = await browser.open(back.replace(/state=[\w-]+/, 'state=forged'))
    expect([forged.status, forged.body]).toEqual([400, expect.stringContaining('was not completed')])
    browser.cookies.set('usher_login', memo)
    expect((await browser.open(back)).status).toBe(303)
    browser.cookies.set('usher_login', memo)
    expect((await browser.open(back)).status).toBe(400)
    const refused = back.replace(/code=[\w-]+/, 'error=access_denied')
    browser.cookies.set('usher_login', memo)
    expect((await browser.open(refused)).status).toBe(400)
    const warnings = lines.filter((line) => line.includes('logins at the OpenID provider failed'))
    expect(warnings.length).toBeGreaterThan(1)
    expect(lines.join()).not.toMatch(/canary|code=|ann@/)
  })

  test('waits for a provider that is down, which nothing else does', async () => {
    provider.set({ claims: { ...VERIFIED, roles: ['viewer'], orgs: ['*'] } })
    const { url, lines } = await start()
    provider.set({ isDown: true })
    const browser = createBrowser(url)
    const { status, body } = await browser.open(`${url}/login/provider`)
    expect([status, body]).toEqual([503, expect.stringContaining('The login provider does not answer')])
    expect((await send(`${url}/login`)).status).toBe(200)
    expect((await send(`${url}/ready`)).status).toBe(200)
    expect(lines.join()).toContain('logins at the OpenID provider failed')
    provider.set({ isDown: false })
    expect((await browser.logIn()).status).toBe(303)
  })
})
