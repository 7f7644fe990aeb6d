import { describe, expect, it } from 'vitest'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { createGroup } from '../support/leads.ts'
import { createOrg, provisionOrg, type TestOrg } from '../support/org.ts'
import { unchanged } from '../support/refusal.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const call = (method: string, org: TestOrg, path: string, body?: unknown) =>
  api.call(method, `/v1/org/${org.id}${path}`, { body, as: { org: org.id, user: 'admin' } })
const put = (org: TestOrg, path: string, body: unknown) => call('PUT', org, path, body)
const get = async (org: TestOrg, path: string) => (await call('GET', org, path)).body
/** The answer, which must be a refusal that changes nothing. */
async function refused(org: TestOrg, work: () => ReturnType<typeof api.call>) {
  const { status, body } = await unchanged(db, org, work)
  return [status, body.error_message]
}

describe('an ADMIN of the org', () => {
  it('creates, changes, lists and brings back users, with the audit', async () => {
    const org = await createOrg(db)
    const shown = { id: 'cid', email: 'cid@x.test', name: 'Cid' }
    expect((await put(org, '/users/cid', { email: shown.email, name: 'Cid' })).body).toEqual(shown)
    expect((await put(org, '/users/cid', { name: 'C' })).body).toEqual({ ...shown, name: 'C' })
    await unchanged(db, org, () => put(org, '/users/cid', { name: 'C' }))
    expect(await get(org, '/users/cid')).toEqual({ ...shown, name: 'C' })
    expect(await get(org, '/users?limit=2')).toMatchObject({
      users: [{ id: 'ann' }, { id: 'bob' }],
      next_after: 'bob',
    })
    expect(await get(org, '/users?after=bob')).toMatchObject({ users: [{ id: 'cid' }], next_after: null })
    await call('DELETE', org, '/users/cid')
    expect((await call('GET', org, '/users/cid')).status).toBe(404)
    expect((await put(org, '/users/cid', {})).status).toBe(200)
    expect(await eventsOfOrg(db, org.id, 'user.%')).toMatchObject([
      { kind: 'user.created', actor: 'user:admin', after: { user_id: 'cid', name: 'Cid' } },
      { kind: 'user.updated', before: { name: 'Cid' }, after: { name: 'C' } },
      { kind: 'user.removed' },
      { kind: 'user.restored', actor: 'user:admin' },
    ])
  })

  it('creates, changes, lists and removes groups, with the audit', async () => {
    const org = await createOrg(db)
    const shown = { id: 'team', name: 'Team', members: ['ann'] }
    expect((await put(org, '/groups/team', { name: 'Team', members: ['ann'] })).body).toEqual(shown)
    expect((await put(org, '/groups/team', { name: 'T' })).body).toEqual({ ...shown, name: 'T' })
    expect((await put(org, '/groups/team', { members: [] })).body).toEqual({
      ...shown,
      name: 'T',
      members: [],
    })
    expect(await get(org, '/groups')).toMatchObject({ groups: [{ id: 'team' }], next_after: null })
    expect((await call('DELETE', org, '/groups/team')).status).toBe(204)
    expect((await call('GET', org, '/groups/team')).status).toBe(404)
    expect((await eventsOfOrg(db, org.id, 'group.%')).map(({ kind }) => kind)).toEqual([
      ...['group.created', 'group.members_added', 'group.renamed', 'group.members_removed', 'group.deleted'],
    ])
  })

  it('is refused with input that provisioning refuses', async () => {
    const org = await createOrg(db)
    await provisionOrg(db, { id: org.id, users: [{ id: 'bob', removed: true }] })
    for (const [path, body] of [
      ...['{', [], {}, { name: 'X' }, { email: 'x', name: 'X' }, { email: 'x@x.test', name: '' }].map(
        (one) => ['/users/x', one],
      ),
      ...[['/users/x', { email: 'x@x.test', name: 'X', role: 'ADMIN' }]],
      ...[['/users/a%2Fb', { email: 'x@x.test', name: 'X' }]],
      ...[{}, { members: ['ann'] }, { name: 'G', members: 'ann' }].map((one) => ['/groups/g', one]),
    ] as [string, unknown][])
      expect(await refused(org, () => put(org, path, body))).toEqual([422, 'INVALID_INPUT'])
    for (const member of ['nobody', 'bob'])
      expect(await refused(org, () => put(org, '/groups/g', { name: 'G', members: [member] }))).toEqual([
        ...[404, 'USER_NOT_FOUND'],
      ])
    const taken = { email: `ANN@${org.id}.TEST`, name: 'X' }
    expect(await refused(org, () => put(org, '/users/x', taken))).toEqual([409, 'UQ_CONSTRAINT_FAILED'])
    expect(await refused(org, () => call('DELETE', org, '/groups/g'))).toEqual([404, 'GROUP_NOT_FOUND'])
  })

  it('sees and changes nothing of another org', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db, {}, { users: ['eve'] })]
    await createGroup(db, other, 'theirs', ['eve'])
    const address = `/v1/org/${other.id}`
    for (const [method, path] of [
      ...['/users', '/users/eve', '/groups', '/groups/theirs'].map((one) => ['GET', one]),
      ...['PUT', 'DELETE'].flatMap((one) => ['/users/eve', '/groups/theirs'].map((path) => [one, path])),
    ] as [string, string][]) {
      const work = () => api.call(method, address + path, { as: { org: org.id }, body: { name: 'X' } })
      expect((await unchanged(db, other, work)).status).toBe(403)
    }
    expect(await refused(org, () => call('GET', org, '/users/eve'))).toEqual([404, 'USER_NOT_FOUND'])
    const members = { name: 'G', members: ['eve'] }
    expect(await refused(org, () => put(org, '/groups/g', members))).toEqual([404, 'USER_NOT_FOUND'])
  })

  it('who takes the last step of two at once wins, and the audit has both', async () => {
    const org = await createOrg(db)
    const names = ['A', 'B', 'C', 'D']
    const replies = await Promise.all(names.map((name) => put(org, '/users/ann', { name })))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const events = await eventsOfOrg(db, org.id, 'user.updated')
    expect(events.map(({ after }) => after.name).toSorted()).toEqual(names)
    expect(await get(org, '/users/ann')).toMatchObject({ name: events.at(-1)?.after.name })
    for (const [i, { before }] of events.slice(1).entries()) expect(before.name).toBe(events[i]?.after.name)
  })
})
