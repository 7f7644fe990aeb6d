import { describe, expect, it } from 'vitest'
import { deleteOrgs } from '../../src/bulk-runs/delete-orgs.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { startAdmin } from '../support/admin.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, readRoom } from '../support/inbox.ts'
import { readOrg } from '../support/leads.ts'
import { createOrg, createRoom, createSendingOrg, provisionOrg, type TestOrg } from '../support/org.ts'
import { refusalMessageOf, unchanged } from '../support/refusal.ts'
import { message, post } from '../support/webhooks.ts'

const { db, pool } = await createTestDatabase()
const admin = await startAdmin(db)
const api = await startTestApi(db)

const nameOf = async (org: TestOrg) => (await readOrg(db, org)).name
const ask = async (org: TestOrg, confirm?: unknown) =>
  admin('DELETE', `/orgs/${org.id}`, { body: { confirm: confirm ?? (await nameOf(org)) } })
const progress = async (org: TestOrg) => (await admin('GET', `/orgs/${org.id}/deletion`)).body
/** Makes the deletions look as if nobody had worked on them for a while. */
const letTimePass = () =>
  pool.query(`update bulk_runs set beat_at = now() - interval '1 minute' where ended_at is null`)
const work = async () => {
  await letTimePass()
  return deleteOrgs(db, undefined, 0)
}

type Column = { table: string; column: string; type: string; needed: boolean }

/** The tables that have an org, without their partitions. */
const TABLES = `select c.relname as table from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace`
const COLUMNS = `select table_name as table, column_name as column, udt_name as type,
    is_nullable = 'NO' and column_default is null and is_generated = 'NEVER' and is_identity = 'NO' as needed
  from information_schema.columns where table_schema = current_schema() and table_name in (${TABLES})`
/** Values by type, and those that constraints of single columns ask for. A later table may need more of them. */
const VALUES: Record<string, string> = {
  ...{ text: `'x'`, uuid: 'gen_random_uuid()', timestamptz: 'now()', int2: '1', int4: '1', int8: '1' },
  ...{ bool: 'false', json: `'{}'`, jsonb: `'{}'`, bytea: `'x'`, _text: `'{}'`, date: 'now()' },
  ...{ 'messages.direction': `'in'`, 'customer_aliases.kind': `'phone'`, 'former_aliases.kind': `'phone'` },
  ...{ 'outbox.kind': `'message'`, 'bulk_runs.kind': `'retry'`, 'meta_objects.kind': `'waba'` },
  'erasures.person': `'{}'`,
  ...{ 'webhook_endpoints.on_rejection': `'skip'`, 'meta_objects.id': '$1' },
}

/** A row of the org in every table that has an org; gives the tables. */
async function fillEveryTable(org: TestOrg): Promise<string[]> {
  const tables = (await pool.query<{ table: string }>(TABLES)).rows.map(({ table }) => table)
  const { rows } = await pool.query<Column>(COLUMNS)
  await inTransaction(db, async (tx) => {
    await tx.$client.query('set local session_replication_role = replica')
    for (const table of tables) {
      const ofTable = rows.filter((row) => row.table === table && row.column !== 'org_id')
      const needed = ofTable.filter((row) => row.needed || `${table}.${row.column}` in VALUES)
      const values = needed.map(({ column, type }) => VALUES[`${table}.${column}`] ?? VALUES[type])
      const names = ['org_id', ...needed.map(({ column }) => column)].join(', ')
      await tx.$client.query(
        `insert into ${table} (${names}) values (${['$1', ...values].join(', ')}) on conflict do nothing`,
        [org.id],
      )
    }
  })
  return tables
}

const countRows = async (table: string, org: TestOrg) => {
  const { rows } = await pool.query(`select count(*)::int as n from ${table} where org_id = $1`, [org.id])
  return rows[0].n
}

describe('the deletion of an org', () => {
  it('leaves no row of it in any table, and every row of other orgs', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const tables = await fillEveryTable(org)
    await fillEveryTable(other)
    expect(tables.length).toBeGreaterThan(25)
    const before = new Map<string, number>()
    for (const table of tables) {
      expect([table, await countRows(table, org)]).not.toEqual([table, 0])
      before.set(table, await countRows(table, other))
    }
    await ask(org)
    expect(await work()).toBeGreaterThan(tables.length - 3)
    for (const table of tables) {
      expect([table, await countRows(table, org)]).toEqual([table, table === 'bulk_runs' ? 1 : 0])
      expect([table, await countRows(table, other)]).toEqual([table, before.get(table)])
    }
    expect((await pool.query('select from orgs where id = $1', [org.id])).rowCount).toBe(0)
    expect(await readOrg(db, other)).toMatchObject({ deletingAt: null })
  })

  it('shows how far it is, also when the org is gone; the id may then be that of a new org', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    expect((await admin('GET', `/orgs/${org.id}/deletion`)).status).toBe(404)
    const asked = await ask(org)
    expect([asked.status, asked.body]).toMatchObject([
      202,
      { org_id: org.id, state: 'running', requested_by: expect.stringMatching(/^admin:/), rows_deleted: 0 },
    ])
    expect((await admin('GET', `/orgs/${org.id}`)).body).toMatchObject({ deleting_since: expect.any(String) })
    await work()
    const { rows_deleted, tables, ...done } = await progress(org)
    expect(done).toMatchObject({ state: 'finished', finished_at: expect.any(String), tables_done: tables })
    expect(rows_deleted).toBeGreaterThan(5)
    expect((await admin('GET', `/orgs/${org.id}`)).status).toBe(404)
    expect((await admin('PUT', `/orgs/${org.id}`, { body: { name: 'New' } })).status).toBe(200)
    expect(await work()).toBe(0)
    expect(await nameOf(org)).toBe('New')
  })

  it('is refused without the name, and asked for twice it is one deletion', async () => {
    const org = await createOrg(db)
    for (const confirm of ['', 'Org', org.id, (await nameOf(org)).toLowerCase()]) {
      const reply = await unchanged(db, org, () => ask(org, confirm))
      expect([reply.status, reply.body.error_message]).toEqual([422, 'NAME_NOT_CONFIRMED'])
      expect(JSON.stringify(reply.body)).not.toContain(await nameOf(org))
    }
    for (const body of [undefined, {}])
      expect((await admin('DELETE', `/orgs/${org.id}`, { body })).body.error_message).toBe(
        'NAME_NOT_CONFIRMED',
      )
    for (const body of ['{', { confirm: 1 }, { confirm: 'x', colour: 'red' }])
      expect((await admin('DELETE', `/orgs/${org.id}`, { body })).body.error_message).toBe('INVALID_INPUT')
    expect((await ask({ id: 'unknown' } as TestOrg, 'x')).status).toBe(404)
    const name = await nameOf(org)
    const replies = await Promise.all([1, 2, 3].map(() => ask(org, name)))
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 202])
    expect(new Set(replies.map(({ body }) => body.requested_at)).size).toBe(1)
    expect((await admin('DELETE', `/orgs/${org.id}?confirm=${encodeURIComponent(name)}`)).status).toBe(202)
    expect((await pool.query('select from bulk_runs where org_id = $1', [org.id])).rowCount).toBe(1)
  })

  it('is done by one process at a time, and goes on where a process has left it', async () => {
    await work()
    const org = await createOrg(db)
    await createRoom(db, org)
    await ask(org)
    expect(await deleteOrgs(db, undefined, 0)).toBe(0)
    await letTimePass()
    const [first, second] = await Promise.all([deleteOrgs(db, undefined, 0), deleteOrgs(db, undefined, 0)])
    expect(Math.min(first, second)).toBe(0)
    expect((await progress(org)).state).toBe('finished')
  })

  it('starts again with a table that got rows late, and waits until nobody can write any', async () => {
    await work()
    const org = await createOrg(db)
    await createRoom(db, org)
    await ask(org)
    await letTimePass()
    const end = deleteOrgs(db, undefined, 3_000)
    await expect.poll(async () => (await progress(org)).tables_done).toBeGreaterThan(20)
    await pool.query(`insert into early_statuses (org_id, wamid, status) values ($1, 'late', 'sent')`, [
      org.id,
    ])
    await end
    expect(await countRows('early_statuses', org)).toBe(0)
    expect((await progress(org)).state).toBe('finished')
  })
})

describe('an org that is being deleted', () => {
  it('answers its API with a clear error, and is provisioned by nobody', async () => {
    const org = await createOrg(db)
    const name = await nameOf(org)
    await ask(org)
    const reply = await api.call('GET', `/v1/org/${org.id}/settings`)
    expect([reply.status, reply.body.error_message]).toEqual([403, 'ORG_IS_BEING_DELETED'])
    for (const [method, path] of [
      ['PUT', ''],
      ['PUT', '/users/ann'],
      ['GET', '/users'],
    ] as const) {
      const { status, body } = await admin(method, `/orgs/${org.id}${path}`, { body: { name: 'x' } })
      expect([status, body.error_message]).toEqual([403, 'ORG_IS_BEING_DELETED'])
    }
    expect(await refusalMessageOf(() => provisionOrg(db, { id: org.id, name }))).toContain('is being deleted')
  })

  it('has its deliveries parked, until another org has the number; those of other orgs are routed', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const [number = '', others = ''] = [org.phones[0], other.phones[0]]
    const room = await createRoom(db, other)
    await ask(org)
    await deliver(db, post(number, message({ from: '15550002222' })))
    await deliver(db, post(others, message({})))
    expect((await readRoom(db, other.id, room.id)).last_inbound_at).not.toBeNull()
    const parked = () => pool.query('select from inbox where parked_for = $1', [`phone:${number}`])
    expect((await parked()).rowCount).toBe(1)
    const body = { waba_id: other.wabaId, display_phone_number: '+1' }
    expect((await admin('PUT', `/orgs/${other.id}/numbers/${number}`, { body })).status).toBe(200)
    expect((await parked()).rowCount).toBe(0)
    await work()
    expect((await admin('GET', `/orgs/${other.id}/numbers`)).body.numbers).toHaveLength(2)
  })

  it('sends nothing and posts no event', async () => {
    const org = await createSendingOrg(db)
    await ask(org)
    const { rows } = await pool.query(
      'select stopped_at, stopped_reason from waba_phones where org_id = $1',
      [org.id],
    )
    expect(rows).toEqual([{ stopped_at: expect.any(Date), stopped_reason: 'the org is being deleted' }])
  })
})
