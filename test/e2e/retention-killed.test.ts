import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
import { startProcess } from '../support/process.ts'

const OLD = 6_000
const KEPT = 500

it('a retention that is killed has deleted whole batches, and the next one deletes the rest, and nothing that is kept', async () => {
  const { db, url: DATABASE_URL } = await createTestDatabase()
  const org = await createOrg(db, { retention_days: 40 })
  const other = await createOrg(db)
  for (const { id, phones } of [org, other])
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
       select $1, 'wamid.' || n, $2, 'in', 'text', now() - case when n <= $3::int then interval '50 days' else interval '1 hour' end,
         now(), n, 'x', '{}' from generate_series(1, $3::int + $4::int) n`,
      [id, phones[0], OLD, KEPT],
    )
  const count = async (orgId: string) => {
    const { rows } = await db.$client.query('select count(*)::int as n from messages where org_id = $1', [
      orgId,
    ])
    return rows[0].n as number
  }

  const first = startProcess('src/cli/main.js', ['retention'], { DATABASE_URL })
  await expect.poll(() => count(org.id), { interval: 5 }).toBeLessThan(OLD + KEPT)
  first.child.kill('SIGKILL')
  await first.exited()
  const left = await count(org.id)
  expect(left).toBeGreaterThan(KEPT)
  expect((OLD + KEPT - left) % 250).toBe(0)

  const second = startProcess('src/cli/main.js', ['retention'], { DATABASE_URL })
  expect(await second.exited()).toBe(0)
  expect([await count(org.id), await count(other.id)]).toEqual([KEPT, OLD + KEPT])
})
