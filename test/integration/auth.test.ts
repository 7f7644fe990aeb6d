import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { tokenCommand } from '../../src/cli/token.ts'
import type { Config } from '../../src/config.ts'
import type { Database } from '../../src/db/client.ts'
import { JWT_SECRET, startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { publishFigure } from '../support/figures.ts'
import { createOrg } from '../support/org.ts'
import { SLOWNESS } from '../support/patience.ts'

const OTHER_SECRET = 'another secret of 32 bytes or more!!'
const now = () => Math.floor(Date.now() / 1000)
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const secret = (text: string) => new TextEncoder().encode(text)

let db: Database['db']
let databaseUrl: string
let org: string

beforeAll(async () => {
  const database = await createTestDatabase()
  db = database.db
  databaseUrl = database.url
  org = (await createOrg(db)).id
})

const claims = () => ({ sub: 'ann', role: 'ADMIN', org_id: org, exp: now() + 60 })

/** A token signed by hand, so that header and claims can be anything. */
function forge(
  payload: object,
  { header = { alg: 'HS256', typ: 'JWT' } as object, key = JWT_SECRET as string | Buffer } = {},
): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

function without<T extends object>(object: T, key: keyof T): Omit<T, typeof key> {
  const { [key]: _, ...rest } = object
  return rest
}

/** The answer of the API to an Authorization header, on a route of the org that changes nothing. */
async function ask(
  api: TestApi,
  authorization: string | null,
  path = `/v2/org/${org}/contact/pn/+15550001111`,
) {
  const { status, body, headers } = await api.call('GET', path, { as: authorization })
  if (status === 401) turnedAway += 1
  return { status, error: body.error_message, challenge: headers['www-authenticate'] }
}

let turnedAway = 0
afterAll(() => publishFigure(25, { of: 'forged or invalid tokens answered with 401', n: turnedAway }))

const refused = { status: 401, error: 'UNAUTHORIZED', challenge: 'Bearer' }
const admitted = { status: 200, error: undefined, challenge: undefined }

describe('the API with a shared secret', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi(db)
  })
  const askWith = (token: string) => ask(api, `Bearer ${token}`)

  it('accepts a token with a right signature, and the scheme in upper or lower case', async () => {
    expect(await askWith(forge(claims()))).toEqual(admitted)
    expect(await ask(api, `bearer ${forge(claims())}`)).toEqual(admitted)
  })

  it.each([
    ['no header at all', null],
    ['an empty header', ''],
    ['a scheme without a token', 'Bearer'],
    ['an empty token', 'Bearer '],
    ['basic auth', `Basic ${Buffer.from('a:b').toString('base64')}`],
    ['a token of one part', 'Bearer x'],
    ['a token of three empty parts', 'Bearer ..'],
    ['a token of four parts', 'Bearer a.b.c.d'],
    ['a token that is not base64', 'Bearer %%%.%%%.%%%'],
    ['a token of 10,000 characters', `Bearer ${'a'.repeat(5000)}.${'b'.repeat(5000)}.c`],
  ])('refuses %s', async (_, header) => {
    expect(await ask(api, header)).toEqual(refused)
  })

  it('refuses a token without a signature, in every spelling of the algorithm none', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null]) {
      expect(await askWith(`${encode({ alg })}.${encode(claims())}.`), String(alg)).toEqual(refused)
      expect(await askWith(`${encode({ alg })}.${encode(claims())}.AAAA`), String(alg)).toEqual(refused)
      expect(await askWith(forge(claims(), { header: { alg } })), String(alg)).toEqual(refused)
    }
  })

  it('refuses a signature by another key or of another token, and one that is shortened or missing', async () => {
    const [header, payload, signature = ''] = forge({ ...claims(), role: 'MEMBER' }).split('.')
    const raised = encode(claims())
    expect(await askWith(forge(claims(), { key: OTHER_SECRET }))).toEqual(refused)
    expect(await askWith(forge(claims(), { key: '' }))).toEqual(refused)
    expect(await askWith(`${header}.${raised}.${signature}`)).toEqual(refused)
    expect(await askWith(`${header}.${payload}.${signature.slice(0, -2)}`)).toEqual(refused)
    expect(await askWith(`${header}.${payload}.`)).toEqual(refused)
  })

  it('refuses other algorithms, also with the right secret', async () => {
    for (const alg of ['HS384', 'HS512']) {
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg })
        .sign(secret(JWT_SECRET + JWT_SECRET))
      expect(await askWith(token)).toEqual(refused)
    }
    expect(await askWith(forge(claims(), { header: { alg: 'RS256' } }))).toEqual(refused)
  })

  it('takes neither a key nor the address of a key from the token', async () => {
    const jwk = { kty: 'oct', k: Buffer.from(OTHER_SECRET).toString('base64url') }
    const own = { key: OTHER_SECRET }
    for (const trick of [
      { jwk },
      { jku: 'http://127.0.0.1:9/keys' },
      { x5u: 'http://127.0.0.1:9/cert' },
      { kid: '../../../../dev/null' },
      { kid: "x' union select 'k" },
      { kid: '/proc/sys/kernel/ostype' },
    ]) {
      const header = { alg: 'HS256', ...trick }
      expect(await askWith(forge(claims(), { header, ...own })), JSON.stringify(trick)).toEqual(refused)
    }
    expect(
      await askWith(forge(claims(), { header: { alg: 'HS256', kid: '../../dev/null' }, key: '' })),
    ).toEqual(refused)
  })

  it('refuses a critical extension that it does not know', async () => {
    const header = { alg: 'HS256', crit: ['b64'], b64: false }
    expect(await askWith(forge(claims(), { header }))).toEqual(refused)
    expect(await askWith(forge(claims(), { header: { alg: 'HS256', crit: ['x'], x: 1 } }))).toEqual(refused)
  })

  it('answers that a token has expired, five seconds after it has', async () => {
    const expired = { status: 401, error: 'TOKEN_EXPIRED', challenge: 'Bearer' }
    expect(await askWith(forge({ ...claims(), exp: now() - 60 }))).toEqual(expired)
    expect(await askWith(forge({ ...claims(), exp: now() - 6 }))).toEqual(expired)
    expect(await askWith(forge({ ...claims(), exp: now() - 2 }))).toEqual(admitted)
  })

  it('does not answer that a forged token has expired', async () => {
    expect(await askWith(forge({ ...claims(), exp: now() - 60 }, { key: OTHER_SECRET }))).toEqual(refused)
  })

  it('refuses a token that is not valid yet', async () => {
    expect(await askWith(forge({ ...claims(), nbf: now() + 60 }))).toEqual(refused)
  })

  it('refuses a token whose `exp` or `sub` is missing or invalid', async () => {
    expect(await askWith(forge(without(claims(), 'exp')))).toEqual(refused)
    expect(await askWith(forge(without(claims(), 'sub')))).toEqual(refused)
    for (const exp of ['never', null, {}, '9999999999']) {
      expect(await askWith(forge({ ...claims(), exp })), String(exp)).toEqual(refused)
    }
    for (const sub of ['', 7, null, 'a\u0000b', 'a\nb', 'a'.repeat(129)]) {
      expect(await askWith(forge({ ...claims(), sub })), String(sub)).toEqual(refused)
    }
  })

  it('refuses an unknown role', async () => {
    expect(await askWith(forge(without(claims(), 'role')))).toEqual(refused)
    for (const role of ['admin', 'OWNER', '', null, ['ADMIN'], 'constructor']) {
      expect(await askWith(forge({ ...claims(), role })), String(role)).toEqual(refused)
    }
  })

  it('refuses a token that names no org, names it in two ways, or has only a part of the claims of a partner', async () => {
    const { org_id, ...rest } = claims()
    for (const orgs of [
      {},
      { org_id: '' },
      { org_id: [org_id] },
      { org_ids: [org_id] },
      { partner_id: 'p' },
      { org_id, org_ids: [org_id] },
      { org_id, partner_id: 'p' },
      { org_id, partner_id: 'p', org_ids: [org_id] },
      { partner_id: 'p', org_ids: [] },
      { partner_id: 'p', org_ids: org_id },
      { partner_id: '', org_ids: [org_id] },
    ]) {
      expect(await askWith(forge({ ...rest, ...orgs })), JSON.stringify(orgs)).toEqual(refused)
    }
    expect(await askWith(forge({ ...rest, partner_id: 'p', org_ids: ['x', org_id] }))).toEqual(admitted)
  })

  it('refuses an impersonation that does not name the impersonator', async () => {
    for (const act of [{}, { sub: '' }, { sub: null }, 'eve', [], true]) {
      expect(await askWith(forge({ ...claims(), act })), JSON.stringify(act)).toEqual(refused)
    }
  })

  it('gives the same 403 for an org that the token does not cover and for an unknown org', async () => {
    const other = await createOrg(db)
    const forbidden = { status: 403, error: 'FORBIDDEN', challenge: undefined }
    const path = (id: string) => `/v2/org/${id}/contact/pn/+15550001111`
    const token = `Bearer ${forge(claims())}`
    expect(await ask(api, token, path(other.id))).toEqual(forbidden)
    expect(await ask(api, token, path('nobody'))).toEqual(forbidden)
    expect(await ask(api, token, path('%00'))).toEqual(forbidden)
    expect(await ask(api, token, path(org.toUpperCase()))).toEqual(forbidden)
    const unknown = `Bearer ${forge({ ...claims(), org_id: 'unknown' })}`
    expect(await ask(api, unknown, path('unknown'))).toEqual(forbidden)
  })

  it('never logs a token', async () => {
    const token = forge({ ...claims(), role: 'OWNER' })
    await askWith(token)
    expect(api.logged.length).toBeGreaterThan(0)
    expect(JSON.stringify(api.logged)).not.toContain(token.split('.')[1])
    expect(JSON.stringify(api.logged)).not.toMatch(/OWNER|eyJ/)
  })
})

describe('the log', () => {
  const reasons: [string, () => string | null][] = [
    ['there is no Authorization header', () => null],
    ['not `Bearer` and a JWT', () => 'Basic YTpi'],
    ['no JWT that can be read', () => 'Bearer x.y.z'],
    ['signed with another key', () => `Bearer ${forge(claims(), { key: OTHER_SECRET })}`],
    ['the alg of the token is not accepted', () => `Bearer ${forge(claims(), { header: { alg: 'HS384' } })}`],
    ['has expired', () => `Bearer ${forge({ ...claims(), exp: now() - 60 })}`],
    ['not valid yet', () => `Bearer ${forge({ ...claims(), nbf: now() + 60 })}`],
    ['the claim exp is missing', () => `Bearer ${forge(without(claims(), 'exp'))}`],
    ['the claim exp is not valid', () => `Bearer ${forge({ ...claims(), exp: 'never' })}`],
    ['the claim sub is missing', () => `Bearer ${forge(without(claims(), 'sub'))}`],
    ['the claim role is missing', () => `Bearer ${forge(without(claims(), 'role'))}`],
    ['the claim role is not in upper case', () => `Bearer ${forge({ ...claims(), role: 'admin' })}`],
    ['the claim role is not one of', () => `Bearer ${forge({ ...claims(), role: 'OWNER' })}`],
    ['has no org claim', () => `Bearer ${forge(without(claims(), 'org_id'))}`],
    ['has the claims org_id, partner_id', () => `Bearer ${forge({ ...claims(), partner_id: 'p' })}`],
    ['the claim act is not valid', () => `Bearer ${forge({ ...claims(), act: {} })}`],
    ['not JWT_ISSUER', () => `Bearer ${forge({ ...claims(), iss: 'elsewhere', aud: 'usher' })}`],
    ['not contain JWT_AUDIENCE', () => `Bearer ${forge({ ...claims(), iss: 'us', aud: 'else' })}`],
  ]

  it('says why tokens are refused, each reason once a minute, and the answer does not', async () => {
    const plain = await startTestApi(db)
    const strict = await startTestApi(db, { jwt: { issuer: 'us', audience: 'usher' } })
    for (const [reason, header] of reasons) {
      const api = reason.includes('JWT_') ? strict : plain
      const before = api.logged.length
      for (let i = 0; i < 2; i += 1) {
        const { status, body } = await api.call('GET', `/v1/org/${org}/settings`, { as: header() })
        expect([status, body.error_description]).toEqual([
          401,
          expect.stringMatching(/^(A valid bearer token is required|The token has expired)\.$/),
        ])
      }
      const lines = api.logged.slice(before)
      expect(lines).toEqual([
        expect.objectContaining({ level: 40, refused: 1, reason: expect.stringContaining(reason) }),
      ])
    }
  })
})

describe('the API with several secrets', () => {
  it('accepts a token of each secret, and answers that a token of the second secret has expired', async () => {
    const api = await startTestApi(db, { jwt: { secrets: [JWT_SECRET, OTHER_SECRET] } })
    expect(await ask(api, `Bearer ${forge(claims())}`)).toEqual(admitted)
    expect(await ask(api, `Bearer ${forge(claims(), { key: OTHER_SECRET })}`)).toEqual(admitted)
    const old = forge({ ...claims(), exp: now() - 60 }, { key: OTHER_SECRET })
    expect((await ask(api, `Bearer ${old}`)).error).toBe('TOKEN_EXPIRED')
    const third = forge(claims(), { key: 'a third secret of 32 bytes or more' })
    expect(await ask(api, `Bearer ${third}`)).toEqual(refused)
  })
})

describe('the API with an issuer and an audience', () => {
  it('refuses tokens of other issuers and for other audiences', async () => {
    const api = await startTestApi(db, { jwt: { issuer: 'https://us', audience: 'usher' } })
    const good = { ...claims(), iss: 'https://us', aud: ['else', 'usher'] }
    expect(await ask(api, `Bearer ${forge(good)}`)).toEqual(admitted)
    for (const wrong of [
      claims(),
      without(good, 'iss'),
      without(good, 'aud'),
      { ...good, iss: 'https://us/' },
      { ...good, aud: 'ush' },
      { ...good, aud: [] },
    ]) {
      expect(await ask(api, `Bearer ${forge(wrong)}`), JSON.stringify(wrong)).toEqual(refused)
    }
  })
})

describe('the API with neither a secret nor a JWKS', () => {
  it('refuses every call, and the log says why', async () => {
    const api = await startTestApi(db, { jwt: { secrets: [] } })
    for (const key of [JWT_SECRET, '']) {
      expect(await ask(api, `Bearer ${forge(claims(), { key })}`)).toEqual(refused)
    }
    expect(await ask(api, `Bearer ${encode({ alg: 'none' })}.${encode(claims())}.AAAA`)).toEqual(refused)
    expect(api.logged.map(({ level, reason }) => [level, reason])).toEqual([
      [40, undefined],
      [40, 'neither JWT_SECRET nor JWT_JWKS_URL is set'],
    ])
  })
})

describe('the API with a JWKS', () => {
  let api: TestApi
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  let published: string
  let fetches = 0
  const server = createServer((_req, res) => {
    fetches += 1
    res.setHeader('content-type', 'application/json').end(published)
  })

  beforeAll(async () => {
    keys = await generateKeyPair('RS256', { extractable: true })
    published = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256' }] })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    api = await startTestApi(db, { jwt: jwks(server.address() as AddressInfo) })
  })
  afterAll(() => {
    server.close()
  })

  const jwks = ({ port }: AddressInfo): Partial<Config['jwt']> => ({
    secrets: [],
    jwksUrl: `http://127.0.0.1:${port}/keys`,
  })
  const sign = (header = {}, key = keys.privateKey) =>
    new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(key)

  it('accepts a token that one of the keys has signed, and fetches the keys once', async () => {
    expect(await ask(api, `Bearer ${await sign()}`)).toEqual(admitted)
    expect(await ask(api, `Bearer ${await sign()}`)).toEqual(admitted)
    expect(fetches).toBe(1)
  })

  it('refuses HS256 with the public key as its secret, in every encoding of the key', async () => {
    const spki = await exportSPKI(keys.publicKey)
    const jwk = await exportJWK(keys.publicKey)
    for (const key of [spki, spki.trim(), JSON.stringify(jwk), Buffer.from(jwk.n ?? '', 'base64url')]) {
      const header = { alg: 'HS256', kid: 'k1' }
      expect(await ask(api, `Bearer ${forge(claims(), { header, key })}`)).toEqual(refused)
    }
  })

  it('refuses a token without a signature', async () => {
    const header = encode({ alg: 'none', kid: 'k1' })
    expect(await ask(api, `Bearer ${header}.${encode(claims())}.`)).toEqual(refused)
  })

  it('refuses another key, also if the token contains the key or its address', async () => {
    const other = await generateKeyPair('RS256', { extractable: true })
    const jwk = await exportJWK(other.publicKey)
    const before = fetches
    for (const header of [{}, { jwk }, { jku: api.url }, { x5u: api.url }, { kid: 'k2' }, { kid: '../k1' }]) {
      expect(await ask(api, `Bearer ${await sign(header, other.privateKey)}`)).toEqual(refused)
    }
    expect(fetches, 'an unknown kid must not cause a fetch each time').toBeLessThanOrEqual(before + 1)
  })

  it('answers 503, or 500 with the reason where 503 is not documented, while the keys cannot be read', async () => {
    const good = published
    published = 'not json'
    const late = await startTestApi(db, { jwt: jwks(server.address() as AddressInfo) })
    const token = `Bearer ${await sign()}`
    const before = fetches
    for (let i = 0; i < 20; i += 1) {
      const put = await late.call('PUT', `/v1/org/${org}/settings`, { as: token, body: {} })
      expect([put.status, put.body.error_message]).toEqual([503, 'KEYS_UNAVAILABLE'])
      const get = await late.call('GET', `/v2/org/${org}/contact/pn/+15550001111`, { as: token })
      expect([get.status, get.body.error_description]).toEqual([500, expect.stringContaining('keys')])
    }
    expect(fetches - before, 'no token causes a fetch of its own').toBeLessThan(10)
    expect(late.logged.length, 'nor a line in the log').toBeLessThan(10)
    published = good
    await expect.poll(() => ask(late, token)).toEqual(admitted)
  })

  it('goes on accepting known keys while the keys cannot be read, and accepts a new key within 5 s after that', async () => {
    const good = JSON.parse(published)
    const next = await generateKeyPair('RS256', { extractable: true })
    const own = await startTestApi(db, { jwt: jwks(server.address() as AddressInfo) })
    const known = `Bearer ${await sign()}`
    expect(await ask(own, known)).toEqual(admitted)
    published = 'not json'
    const fresh = `Bearer ${await sign({ kid: 'k3' }, next.privateKey)}`
    await expect.poll(async () => (await ask(own, fresh)).status).toBe(500)
    expect(await ask(own, known)).toEqual(admitted)
    const key = { ...(await exportJWK(next.publicKey)), kid: 'k3', alg: 'RS256' }
    published = JSON.stringify({ keys: [...good.keys, key] })
    const since = performance.now()
    await expect.poll(() => ask(own, fresh)).toEqual(admitted)
    expect(performance.now() - since).toBeLessThan(5_000 * SLOWNESS)
    published = JSON.stringify(good)
  })
})

describe('the command `token`', () => {
  it.each([
    ['a user', ['--user', 'ann']],
    ['an impersonated user', ['--act', 'support']],
    ['a partner', ['--partner', 'p1']],
  ])('prints a token of %s that the API accepts', async (_, who) => {
    vi.stubEnv('JWT_SECRET', JWT_SECRET)
    vi.stubEnv('DATABASE_URL', databaseUrl)
    const printed = vi.spyOn(console, 'log').mockReturnValue()
    onTestFinished(() => {
      vi.unstubAllEnvs()
      printed.mockRestore()
    })
    await tokenCommand().parseAsync(['--org', org, '--role', 'MEMBER', ...who], { from: 'user' })
    const api = await startTestApi(db)
    expect(await ask(api, `Bearer ${printed.mock.calls[0]?.[0]}`)).toEqual(admitted)
  })
  it.each([
    [
      'of an org that does not exist, and prints it all the same',
      () => databaseUrl,
      /^There is no org nope: /,
    ],
    [
      'that it cannot ask the database',
      () => 'postgres://127.0.0.1:9/none',
      /^The database could not be asked/,
    ],
  ])('warns on standard error %s', async (_, url, warning) => {
    const printed = vi.spyOn(console, 'log').mockReturnValue()
    const warned = vi.spyOn(console, 'error').mockReturnValue()
    vi.stubEnv('JWT_SECRET', JWT_SECRET)
    vi.stubEnv('DATABASE_URL', url())
    onTestFinished(() => {
      vi.unstubAllEnvs()
      printed.mockRestore()
      warned.mockRestore()
    })
    await tokenCommand().parseAsync(['--org', `${org},nope`, '--role', 'ADMIN', '--partner', 'p'], {
      from: 'user',
    })
    expect(printed.mock.calls).toEqual([[expect.stringMatching(/^eyJ/)]])
    expect(warned.mock.calls).toEqual([[expect.stringMatching(warning)]])
  })
})
