import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ENDPOINTS } from '../../../workers/api.ts'
import { startTestApi } from '../../support/api.ts'
import { createTestDatabase } from '../../support/database.ts'
import { publishFigure } from '../../support/figures.ts'
import { deliver } from '../../support/inbox.ts'
import { createOrg } from '../../support/org.ts'
import { bytes, change, delivery, message, newWamid } from '../../support/webhooks.ts'

const SQL = [
  `'; drop table messages; --`,
  `" or ""="`,
  `1' or '1'='1`,
  `x'); delete from orgs; --`,
  `$1`,
  `$$; select pg_sleep(9); $$`,
  `\\'; truncate inbox; --`,
  `' union select body from inbox --`,
  `%27%3B%20drop%20table%20inbox`,
  `{a,"b',c}`,
  `E'\\x00'::bytea`,
  `';copy messages to '/tmp/x';--`,
]

/** Copies of a value in each of which one string is replaced. */
function inEachString(value: unknown, text: string): unknown[] {
  if (typeof value === 'string') return [text]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    inEachString(inner, text).map((changed) => {
      const copy = Array.isArray(value) ? [...value] : { ...value }
      return Object.assign(copy, { [key]: changed })
    }),
  )
}

describe('SQL', () => {
  const shape = JSON.parse(readFileSync('test/fixtures/webhooks/odd/messages_and_statuses.json', 'utf8'))

  it('in every field of a webhook is kept as the text it is', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db)
    const text = JSON.stringify(shape)
      .replaceAll('{{phone}}', org.phones[0]!)
      .replaceAll('{{waba}}', org.wabaId)
    const body = JSON.parse(text.replaceAll('{{now}}', '1790416832'))
    let tried = 0
    const wrong: unknown[] = []
    for (const sql of SQL) {
      const bodies = inEachString(body, sql).map((b) =>
        Buffer.from(JSON.stringify(b).replaceAll('{{run}}', newWamid)),
      )
      const { outcomes } = await deliver(db, ...bodies)
      expect(outcomes).toHaveLength(bodies.length)
      tried += bodies.length
      const m = message({ id: `${sql} ${newWamid()}`, from: '15550009999', body: sql })
      await deliver(
        db,
        bytes(
          delivery([
            change(org.phones[0]!, { messages: [m], contacts: [{ wa_id: m.from, profile: { name: sql } }] }),
          ]),
        ),
      )
      const { rows } = await db.$client.query('select payload, contact from messages where wamid = $1', [
        m.id,
      ])
      const { payload, contact } = rows[0]
      if (payload.text.body !== sql || contact.profile.name !== sql) wrong.push([sql, payload, contact])
    }
    expect(wrong).toEqual([])
    publishFigure(24, { of: 'webhooks with SQL in one field', n: tried, wrong })
  })

  it('in every parameter and field of the API is refused or kept as the text it is', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db)
    const api = await startTestApi(db)
    const address = (path: string, sql: string) =>
      path.replace('{orgId}', org.id).replace(/\{\w+\}/g, encodeURIComponent(sql))
    const body = (sql: string) => ({
      crm_id: sql,
      first_name: sql,
      last_name: sql,
      stage: sql,
      source: sql,
      disposition: sql,
      user_id: sql,
      additional_fields: { [sql]: sql },
    })
    let tried = 0
    const wrong: unknown[] = []
    for (const sql of SQL) {
      for (const { method, path } of ENDPOINTS) {
        const query = ['phone', 'user_id', 'remote_phone_id', 'before', 'limit'].map(
          (name) => `${name}=${encodeURIComponent(sql)}`,
        )
        const asked = [address(path, sql), ...query.map((q) => `${address(path, sql)}?${q}`)]
        for (const where of asked) {
          const { status } = await api.call(method, where, { ...(method !== 'get' && { body: body(sql) }) })
          if (status >= 500) wrong.push([where, status])
          tried += 1
        }
      }
      const lead = {
        crm_id: sql,
        first_name: sql,
        opt_in_date: 1_790_000_000,
        phone_number: { rawInput: '+15550001111' },
      }
      const made = await api.call('POST', `/v2/org/${org.id}/contact`, { body: lead })
      const { rows } = await db.$client.query('select crm_id, first_name from contacts where id = $1', [
        made.body.id,
      ])
      expect(rows).toEqual([{ crm_id: sql, first_name: sql }])
    }
    const { rows } = await db.$client.query('select count(*)::int as orgs from orgs')
    expect(rows).toEqual([{ orgs: 1 }])
    expect(wrong).toEqual([])
    publishFigure(24, { of: 'API calls with SQL in path, query and body', n: tried, wrong })
  })
})
