import { expect, it } from 'vitest'
import { identityOf } from '../../src/logins/claims.ts'

const NAMES = { user: 'email', role: 'roles', orgs: 'orgs' }
const ann = { email: 'ann@example.com', email_verified: true }

it('the provider names a person by an e-mail address only if it has verified it', () => {
  const names = { ...NAMES, role: undefined }
  expect(identityOf(ann, names)).toEqual({ name: 'ann@example.com', rights: undefined })
  for (const email_verified of [false, undefined, 'true'])
    expect(identityOf({ ...ann, email_verified }, names)).toBeUndefined()
  expect(identityOf({ sub: '42' }, { ...names, user: 'sub' })?.name).toBe('42')
  for (const sub of [undefined, 42, '', 'a b', 'x'.repeat(101)])
    expect(identityOf({ sub }, { ...names, user: 'sub' })).toBeUndefined()
})

it('claims grant the higher of the roles, in the orgs that they name', () => {
  const rights = (claims: object, names: object = {}) =>
    identityOf({ ...ann, ...claims }, { ...NAMES, ...names })?.rights
  expect(rights({ roles: ['viewer', 'operator'], orgs: ['acme', 7, 'globex'] })).toEqual({
    role: 'operator',
    orgs: ['acme', 'globex'],
  })
  expect(rights({ roles: 'other viewer', orgs: 'acme,globex' })).toEqual({
    role: 'viewer',
    orgs: ['acme', 'globex'],
  })
  expect(rights({ roles: ['viewer'], orgs: ['*', 'acme'] })).toEqual({ role: 'viewer', orgs: undefined })
  expect(rights({ roles: ['viewer'] }, { orgs: undefined })).toEqual({ role: 'viewer', orgs: undefined })
  for (const claims of [
    {},
    { roles: ['admin'], orgs: '*' },
    { roles: 'viewer' },
    { roles: 'viewer', orgs: [] },
    { roles: 7, orgs: '*' },
  ])
    expect(rights(claims)).toBeUndefined()
})

it('a claim is named by its whole name or by the way to it', () => {
  const names = { user: 'sub', role: 'resource_access.usher.roles', orgs: undefined }
  const nested = { sub: 'ann', resource_access: { usher: { roles: ['viewer'] } } }
  expect(identityOf(nested, names)?.rights?.role).toBe('viewer')
  expect(identityOf({ sub: 'ann', 'resource_access.usher.roles': 'operator' }, names)?.rights?.role).toBe(
    'operator',
  )
  expect(identityOf({ sub: 'ann', resource_access: 'x' }, names)?.rights).toBeUndefined()
})
