import { expect, it } from 'vitest'
import { closeOrg } from '../../src/org-deletion/close-org.ts'
import { describeDeletion } from '../../src/org-deletion/describe-deletion.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, readRoom } from '../support/inbox.ts'
import { readOrg } from '../support/leads.ts'
import { loadCustomers } from '../support/load-customers.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { startUsher } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

it('the deletion of an org survives the death of its process: the next one goes on, and nothing of the org stays', async () => {
  const { url: DATABASE_URL, db } = await createTestDatabase()
  const [org, other] = [await createOrg(db), await createOrg(db)]
  await loadCustomers(db, org, 20_000, ['ann', 'bob', 'ann', 'bob'])
  const room = await createRoom(db, other)
  await closeOrg(db, { orgId: org.id, confirm: (await readOrg(db, org)).name, actor: 'test' })
  await db.$client.query(`update bulk_runs set beat_at = now() - interval '1 minute'`)
  const deletion = () => describeDeletion(db, org.id)
  const first = await startUsher('workers', { DATABASE_URL })
  await expect.poll(async () => (await deletion()).rows_deleted).toBeGreaterThan(5_000)
  first.child.kill('SIGKILL')
  const left = await deletion()
  expect(left.state).toBe('running')
  await startUsher('workers', { DATABASE_URL })
  await deliver(db, post(other.phones[0]!, message({})))
  expect((await readRoom(db, other.id, room.id)).last_inbound_at).not.toBeNull()
  await expect.poll(async () => (await deletion()).state).toBe('finished')
  expect((await deletion()).rows_deleted).toBeGreaterThan(left.rows_deleted + 10_000)
  for (const table of ['customers', 'contacts', 'chatrooms', 'messages', 'events'])
    expect((await db.$client.query(`select from ${table} where org_id = $1`, [org.id])).rowCount).toBe(0)
  expect((await db.$client.query('select from orgs')).rowCount).toBe(1)
})
