import { expect, it } from 'vitest'
import { localPath, loginPage } from '../../src/console/login/local-path.ts'
import { isLogin } from '../../src/http/credentials.ts'
import { hashPassword, passwordMatches } from '../../src/logins/password.ts'
import { createSealed } from '../../src/logins/sealed.ts'
import { sessionShape } from '../../src/logins/session.ts'

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

it('sealed content can be opened with the key and for the purpose that it was sealed for, and is hidden', async () => {
  const sealed = (key: number, purpose = 'sessions') =>
    createSealed(Buffer.alloc(32, key), { purpose, shape: sessionShape })
  const session = { name: 'ann@example.com', print: 'print', rights: { role: 'viewer' as const } }
  const token = await sealed(1).seal(session, 60)
  expect(Buffer.from(token.replaceAll('.', ''), 'base64url').toString()).not.toContain('ann')
  expect(await sealed(1).open(token)).toEqual(session)
  expect(await sealed(2).open(token)).toBeUndefined()
  expect(await sealed(1, 'other').open(token)).toBeUndefined()
  expect(await sealed(1).open(await sealed(1).seal(session, -60))).toBeUndefined()
  const [head = '', , iv = '', text = '', tag = ''] = token.split('.')
  const changed = text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`
  for (const other of ['', 'x', `${head}..${iv}.${text}.`, [head, '', iv, changed, tag].join('.')])
    expect([other, await sealed(1).open(other)]).toEqual([other, undefined])
})

it('the person of basic auth has one name and one password', () => {
  const login = { user: 'ops', password: 'canary' }
  expect(isLogin(login, 'ops', 'canary')).toBe(true)
  expect(isLogin(login, 'ops', 'canary2')).toBe(false)
  expect(isLogin(login, 'Ops', 'canary')).toBe(false)
  expect(isLogin(login, 'canary', 'ops')).toBe(false)
})
