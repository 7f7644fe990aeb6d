import { describe, expect, it } from 'vitest'
import { type ApiReply, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { untilReadable } from '../support/event-log.ts'
import { asText, openImport } from '../support/import.ts'
import { createOrg, type TestOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'

const { db, pool } = await createTestDatabase()
const api = await startTestApi(db)

let people = 0
/** A line for somebody whom no other test knows. */
const line = (fields: object = {}) => {
  people += 1
  const phone = `+91981${String(people).padStart(7, '0')}`
  return { crm_id: `lead-${people}`, phone_number: phone, opt_in_date: '2026-01-31T09:30:00Z', ...fields }
}
const send = (org: TestOrg, lines: (object | string)[], as?: object): Promise<ApiReply> => {
  const text = lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
  return api.call('POST', `/v1/org/${org.id}/contacts:import`, { body: text.join('\n'), ...as })
}
const shortOf = ({ body }: ApiReply) => body.map((one: { status?: string }) => one.status ?? one)
const summary = (lines: number, counts: object) => ({
  summary: { lines, created: 0, exists: 0, rejected: 0, ...counts },
})
const rowsOf = async (text: string, values: unknown[]) => (await pool.query(text, values)).rows
const contactsOf = ({ id }: TestOrg) =>
  rowsOf('select * from contacts where org_id = $1 order by crm_id', [id])

describe('an import of contacts', () => {
  it('creates a contact for each line, as one created alone, and ends with a summary', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const full = line({
      first_name: 'Ana',
      last_name: 'Rao',
      governance_level_id: 'gold',
      is_inbound: true,
      source: 'CAMPAIGN',
    })
    const reply = await send(org, [full, line()])
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^application\/x-ndjson/)
    expect(reply.body).toEqual([
      { line: 1, status: 'created', crm_id: full.crm_id, contact_id: expect.any(String) },
      { line: 2, status: 'created', crm_id: expect.any(String), contact_id: expect.any(String) },
      summary(2, { created: 2 }),
    ])
    const phone_number = { rawInput: full.phone_number }
    await api.call('POST', `/v2/org/${other.id}/contact`, { body: { ...full, phone_number } })
    const [imported] = await contactsOf(org)
    const [alone] = await contactsOf(other)
    const shared = ({ org_id, id, customer_id, created_at, ...row }: Record<string, unknown>) => row
    expect(shared(imported)).toEqual(shared(alone))
    const audit = `select kind, actor, after from events where org_id = $1 and contact_id = $2`
    const [mine, theirs] = await Promise.all([
      rowsOf(audit, [org.id, imported.id]),
      rowsOf(audit, [other.id, alone.id]),
    ])
    expect(mine).toEqual(theirs)
  })

  it('gives one result for each line in their order, over several batches', async () => {
    const org = await createOrg(db)
    const lines = Array.from({ length: 1_203 }, () => line())
    const { body } = await send(org, lines)
    expect(body.map((one: { crm_id: string }) => one.crm_id)).toEqual([
      ...lines.map(({ crm_id }) => crm_id),
      undefined,
    ])
    expect(body.at(-1)).toEqual(summary(1_203, { created: 1_203 }))
    expect(await contactsOf(org)).toHaveLength(1_203)
  })

  it('rejects a bad line alone, with its number and the error that the API has for it', async () => {
    const org = await createOrg(db)
    const long = JSON.stringify(line({ first_name: 'x'.repeat(70_000) }))
    const { body } = await send(org, [
      line(),
      '',
      '{"crm_id": ',
      line({ crm_id: undefined }),
      line({ color: 'red' }),
      line({ phone_number: '+1' }),
      long,
      line({ first_name: 'a\0b' }),
      '[]',
      line(),
    ])
    const found = body.map((one: { line?: number; status?: string; error?: { error_message: string } }) => [
      one.line,
      one.status,
      one.error?.error_message,
    ])
    expect(found).toEqual([
      [1, 'created', undefined],
      [3, 'rejected', 'INVALID_INPUT'],
      [4, 'rejected', 'INVALID_INPUT'],
      [5, 'rejected', 'INVALID_INPUT'],
      [6, 'rejected', 'INVALID_PHONE_NUMBER'],
      [7, 'rejected', 'INVALID_INPUT'],
      [8, 'rejected', 'INVALID_INPUT'],
      [9, 'rejected', 'INVALID_INPUT'],
      [10, 'created', undefined],
      [undefined, undefined, undefined],
    ])
    const descriptions = body.flatMap((one: { error?: { error_description: string } }) =>
      one.error ? [one.error.error_description] : [],
    )
    expect(descriptions).toEqual([
      'the line is not JSON',
      'crm_id: is required',
      'color: is not a known field',
      expect.stringContaining('E.164'),
      'the line is longer than 64 kB',
      'first_name: the character U+0000 is not accepted',
      expect.stringContaining('object'),
    ])
    expect(body[4]).toMatchObject({ crm_id: expect.any(String) })
    expect(await contactsOf(org)).toHaveLength(2)
  })

  it('can be sent again: what exists is left as it is, and the answer says what is otherwise', async () => {
    const org = await createOrg(db)
    const [one, two] = [line({ first_name: 'Ana' }), line()]
    const first = await send(org, [one, two])
    const before = await contactsOf(org)
    const changed = { ...one, first_name: 'Bea', phone_number: '+919899999999', source: 'BTRIX' }
    const again = await send(org, [changed, two])
    expect(again.body).toEqual([
      { ...first.body[0], status: 'exists', differs: ['phone_number', 'first_name', 'source'] },
      { ...first.body[1], status: 'exists', differs: [] },
      summary(2, { exists: 2 }),
    ])
    expect(await contactsOf(org)).toEqual(before)
    const customers = await rowsOf('select count(*)::int as n from customers where org_id = $1', [org.id])
    expect(customers).toEqual([{ n: 2 }])
  })

  it('takes the first of several lines with one crm_id, and compares the others with it', async () => {
    const org = await createOrg(db)
    const one = line()
    const reply = await send(org, [one, { ...one, first_name: 'Ana' }, one])
    expect(shortOf(reply)).toEqual(['created', 'exists', 'exists', summary(3, { created: 1, exists: 2 })])
    expect(reply.body[1].differs).toEqual(['first_name'])
  })

  it('gives contacts with one phone to one customer, in any spelling', async () => {
    const org = await createOrg(db)
    const phones = ['+5511987654321', '+551187654321', { countryCode: 55, nationalNumber: 11987654321 }]
    await send(
      org,
      phones.slice(0, 1).map((phone_number) => line({ phone_number })),
    )
    await send(
      org,
      phones.slice(1).map((phone_number) => line({ phone_number })),
    )
    const rows = await contactsOf(org)
    expect(rows).toHaveLength(3)
    expect(new Set(rows.map((row: { customer_id: string }) => row.customer_id)).size).toBe(1)
  })

  it('rejects a second contact of an affiliate, and the next line of its crm_id has a chance', async () => {
    const org = await createOrg(db)
    const affiliate = line()
    await send(org, [affiliate])
    await pool.query('update contacts set is_affiliate = true where org_id = $1', [org.id])
    const again = line({ phone_number: affiliate.phone_number })
    const reply = await send(org, [again, { ...line(), crm_id: again.crm_id }])
    expect(shortOf(reply)).toEqual(['rejected', 'created', summary(2, { created: 1, rejected: 1 })])
    expect(reply.body[0].error.error_message).toBe('AFFILIATE_PHONE')
  })

  it('stores an opt-in of the past, and lets the contact expire by its creation, as the rules say', async () => {
    const org = await createOrg(db, { expiry_days: 30 })
    const phone = '+919820000001'
    await send(org, [line({ phone_number: phone, opt_in_date: '2019-05-01T00:00:00Z' })])
    const { body } = await api.call('GET', `/v2/org/${org.id}/contact/pn/${encodeURIComponent(phone)}`)
    expect(body).toMatchObject([{ opt_in_date: '2019-05-01T00:00:00.000Z', is_expired: false }])
    const days = (Date.parse(body[0].expiry_ts) - Date.parse(body[0].create_date)) / 86_400_000
    expect(days).toBe(30)
  })

  it('tells the event log of each contact', async () => {
    const org = await createOrg(db)
    await send(org, [line(), line()])
    await untilReadable(db)
    const { body } = await api.call('GET', `/v1/org/${org.id}/events?types=contact.created`)
    expect(body.events).toHaveLength(2)
  })

  it('of no lines answers with a summary', async () => {
    const org = await createOrg(db)
    expect((await send(org, [])).body).toEqual([summary(0, {})])
    expect((await send(org, ['', ' ', '\r'])).body).toEqual([summary(0, {})])
  })

  it('is refused as a request, before a line is read, where the caller may not create contacts', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const asked = (as: object) => send(org, [line()], { as: { org: org.id, ...as } })
    expect((await asked({ org: other.id })).status).toBe(403)
    expect((await asked({ role: 'MEMBER' })).status).toBe(403)
    expect((await asked({ act: 'bob' })).status).toBe(403)
    expect((await asked({ partner: 'p' })).status).toBe(200)
    expect((await send(org, [line()], { as: null })).status).toBe(401)
    const asks = await api.call('POST', `/v1/org/${org.id}/contacts:import?dry=1`, { body: '' })
    expect([asks.status, asks.body.error_message]).toEqual([422, 'INVALID_INPUT'])
  })

  it('ends with the error of the API when its user is removed meanwhile', async () => {
    const org = await createOrg(db)
    const open = await openImport(api.url, org.id)
    open.req.write(asText([line()]))
    await eventually(() => open.answers.length === 1)
    await pool.query(`update users set removed_at = now() where org_id = $1 and id = 'ann'`, [org.id])
    open.req.write(asText([line()]))
    await open.ended
    expect(open.answers.at(-1)).toMatchObject({ error_code: 4030001, error_message: 'FORBIDDEN' })
    expect(await contactsOf(org)).toHaveLength(1)
    open.req.destroy()
  })

  it('touches nothing of another org that has the same crm_ids and phones', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const lines = [line(), line()]
    await send(other, lines)
    const before = await contactsOf(other)
    expect(shortOf(await send(org, lines)).slice(0, 2)).toEqual(['created', 'created'])
    expect(await contactsOf(other)).toEqual(before)
  })

  it('answers two imports of the same contacts at once without a contact twice', async () => {
    const org = await createOrg(db)
    const lines = Array.from({ length: 300 }, () => line())
    const replies = await Promise.all([send(org, lines), send(org, [...lines].reverse()), send(org, lines)])
    for (const { body } of replies) expect(body.at(-1).summary).toMatchObject({ lines: 300, rejected: 0 })
    const created = replies.reduce((sum, { body }) => sum + body.at(-1).summary.created, 0)
    expect(created).toBe(300)
    expect(await contactsOf(org)).toHaveLength(300)
  })
})
