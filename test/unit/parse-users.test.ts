import { expect, it } from 'vitest'
import { keyOf, parseUsers, writeOrgs } from '../../src/logins/parse-users.ts'

const PASSWORD = `$scrypt$ln=15,r=8,p=3$${'a'.repeat(22)}$${'b'.repeat(43)}`

it('a users file has a person in a line; comments and empty lines are skipped', () => {
  const text = `# who may log in\n\nann@example.com operator * ${PASSWORD}\r\n  Ben\tviewer  acme,a%2Cb%20c  ${PASSWORD}  \n`
  const { users, mistakes } = parseUsers(text)
  expect(mistakes).toEqual([])
  expect([...users.values()]).toEqual([
    { name: 'ann@example.com', role: 'operator', orgs: undefined, password: PASSWORD },
    { name: 'Ben', role: 'viewer', orgs: ['acme', 'a,b c'], password: PASSWORD },
  ])
  expect(users.get(keyOf('BEN'))?.name).toBe('Ben')
  expect(parseUsers('eve viewer * -').users.get('eve')?.password).toBeUndefined()
  expect(writeOrgs(['acme', 'a,b c'])).toBe('acme,a%2Cb%20c')
})

it('each mistake of a users file is named with its line, and without what the line holds', () => {
  const lines = [
    `ann operator * ${PASSWORD}`,
    'ben viewer *',
    `ben viewer * ${PASSWORD} more`,
    `b:n viewer * ${PASSWORD}`,
    `ben admin * ${PASSWORD}`,
    `ben viewer acme/ ${PASSWORD}`,
    'ben viewer * canary',
    `ANN viewer * ${PASSWORD}`,
    `ben viewer %zz ${PASSWORD}`,
    `ben viewer acme, ${PASSWORD}`,
  ]
  const { mistakes } = parseUsers(lines.join('\n'))
  expect(mistakes).toEqual([
    'line 2: must have four fields: NAME ROLE ORGS PASSWORD',
    'line 3: must have four fields: NAME ROLE ORGS PASSWORD',
    expect.stringMatching(/^line 4: the name must consist of/),
    'line 5: the role must be viewer or operator',
    expect.stringMatching(/^line 6: the orgs must be/),
    expect.stringMatching(/^line 7: the password must be as npm run ops-user/),
    'line 8: the name is in an earlier line too',
    expect.stringMatching(/^line 9: the orgs must be/),
    expect.stringMatching(/^line 10: the orgs must be/),
  ])
})
