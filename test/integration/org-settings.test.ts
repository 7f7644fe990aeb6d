import { describe, expect, it } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { readOrg } from '../support/leads.ts'
import { createOrg, type TestOrg } from '../support/org.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const get = (path: string, as?: Parameters<TestApi['call']>[2]) => api.call('GET', path, as)

describe('the settings of an org', () => {
  const DEFAULTS = {
    inactivity_days: null,
    expiry_days: null,
    auto_reply_text: null,
    auto_reply_min_interval_seconds: 0,
    unknown_sender: 'hold',
    room_history_visible: true,
    deactivate_on_opt_out: false,
    reactions_reactivate: false,
    auto_reply_burst: 20,
    stop_words: [],
    retention_days: null,
    event_retention_days: null,
    delegate: null,
  }
  const put = (org: TestOrg, body: unknown, as?: Parameters<TestApi['call']>[2]) =>
    api.call('PUT', `/v1/org/${org.id}/settings`, { body, ...as })

  it('are readable as they were provisioned', async () => {
    const org = await createOrg(db, { inactivity_days: 30, delegate: { user_id: 'ann' } })
    const { body } = await get(`/v1/org/${org.id}/settings`, { as: { org: org.id, role: 'MEMBER' } })
    expect(body).toEqual({ ...DEFAULTS, inactivity_days: 30, delegate: { user_id: 'ann' } })
  })

  it('are replaced as a whole, fields that are left out get their default, and the audit has old and new values', async () => {
    const org = await createOrg(db, { inactivity_days: 30, unknown_sender: 'create' })
    const wanted = { expiry_days: 365, stop_words: ['STOP', 'नहीं'], delegate: { user_id: 'bob' } }
    const { status, body } = await put(org, wanted)
    expect([status, body]).toEqual([200, { ...DEFAULTS, ...wanted }])
    expect((await get(`/v1/org/${org.id}/settings`)).body).toEqual(body)
    expect((await readOrg(db, org)).delegateUserId).toBe('bob')
    const { rows } = await db.$client.query(
      'select kind, actor, before, after from events where org_id = $1',
      [org.id],
    )
    expect(rows).toEqual([
      {
        kind: 'org.settings_changed',
        actor: 'user:ann',
        before: { ...DEFAULTS, inactivity_days: 30, unknown_sender: 'create' },
        after: body,
      },
    ])
  })

  it('leave no audit if they stay the same', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    await put(org, { inactivity_days: 30 })
    const { rows } = await db.$client.query('select 1 from events where org_id = $1', [org.id])
    expect(rows).toEqual([])
  })

  it('stay as they are if the delegate is unknown, a value is invalid, or the caller may not change them', async () => {
    const org = await createOrg(db)
    const other = await createOrg(db, {}, { users: ['eve'] })
    for (const [body, ...answer] of [
      [{ delegate: { user_id: 'eve' } }, 404, 'USER_NOT_FOUND'],
      [{ delegate: { group_id: 'nobody' } }, 404, 'GROUP_NOT_FOUND'],
      [{ inactivity_days: 0 }, 422, 'INVALID_INPUT'],
      [{ retention_days: 31 }, 422, 'INVALID_INPUT'],
      [{ event_retention_days: 3 }, 422, 'INVALID_INPUT'],
      [{ inactivity_days: '30' }, 422, 'INVALID_INPUT'],
      [{ colour: 'red' }, 422, 'INVALID_INPUT'],
      [{ stop_words: ['STOP', '!?'] }, 422, 'INVALID_INPUT'],
      [{ stop_words: 'STOP' }, 422, 'INVALID_INPUT'],
      [[], 422, 'INVALID_INPUT'],
    ] as const) {
      const reply = await put(org, body)
      expect([reply.status, reply.body.error_message]).toEqual(answer)
    }
    expect((await get(`/v1/org/${org.id}/settings`)).body).toEqual(DEFAULTS)
    expect((await put(org, {}, { as: { org: other.id } })).status).toBe(403)
    expect((await put(org, {}, { as: { org: org.id, role: 'MEMBER' } })).status).toBe(403)
    expect((await put(org, {}, { as: { org: org.id, act: 'support' } })).status).toBe(403)
  })
})
