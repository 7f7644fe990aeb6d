import { expect, it } from 'vitest'
import { localPath, loginPage } from '../../src/console/login/local-path.ts'
import { isLogin } from '../../src/http/credentials.ts'
import { hashPassword, passwordMatches } from '../../src/logins/password.ts'
import { createSessionTokens } from '../../src/logins/session-tokens.ts'

it('a login leads to paths of this listener only', () => {
  for (const path of ['/console', '/console/stuck?org=a%20b&before=1', '/queues/', '/dead-letters/1'])
    expect(localPath(path)).toBe(path)
  for (const path of [
    ...[
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '/console\\..\\',
      '/consolevil',
      '/login',
    ],
    ...['javascript:alert(1)', '/console\n/x', '', undefined, ['/console/stuck'], '/%2Fevil.example', '/'],
  ])
    expect([path, localPath(path)]).toEqual([path, '/console'])
  expect(loginPage('/console/stuck?org=a b')).toBe('/login?next=%2Fconsole%2Fstuck%3Forg%3Da+b')
})

it('a password matches its own hash only, however its letters are encoded', async () => {
  const stored = await hashPassword('Gr\u00fc\u00dfe aus K\u00f6ln')
  expect(stored).not.toContain('aus')
  expect(await hashPassword('Gr\u00fc\u00dfe aus K\u00f6ln')).not.toBe(stored)
  expect(await passwordMatches('Gru\u0308\u00dfe aus Ko\u0308ln', stored)).toBe(true)
  expect(await passwordMatches('Gr\u00fc\u00dfe aus K\u00f6l', stored)).toBe(false)
  expect(await passwordMatches('', undefined)).toBe(false)
})

it('the token of a session is valid for the key and the session that it was made for, and hides them', async () => {
  const tokens = createSessionTokens(Buffer.alloc(32, 1))
  const session = { name: 'ann@example.com', passwordPrint: 'print' }
  const token = await tokens.seal(session)
  expect(Buffer.from(token.replaceAll('.', ''), 'base64url').toString()).not.toContain('ann')
  expect(await tokens.open(token)).toEqual(session)
  expect(await createSessionTokens(Buffer.alloc(32, 1)).open(token)).toEqual(session)
  expect(await createSessionTokens(Buffer.alloc(32, 2)).open(token)).toBeUndefined()
  const [head = '', , iv = '', text = '', tag = ''] = token.split('.')
  for (const other of [
    '',
    'x',
    `${head}..${iv}.${text}.`,
    [head, '', iv, `A${text.slice(1)}`, tag].join('.'),
  ])
    if (other !== token) expect([other, await tokens.open(other)]).toEqual([other, undefined])
})

it('the person of basic auth has one name and one password', () => {
  const login = { user: 'ops', password: 'canary' }
  expect(isLogin(login, 'ops', 'canary')).toBe(true)
  expect(isLogin(login, 'ops', 'canary2')).toBe(false)
  expect(isLogin(login, 'Ops', 'canary')).toBe(false)
  expect(isLogin(login, 'canary', 'ops')).toBe(false)
})
