import { expect, it } from 'vitest'
import { recordEvents } from '../../src/audit/record-events.ts'
import { PARTITIONS, readLogFigures } from '../../src/event-feed/log-figures.ts'
import { createTestDatabase } from '../support/database.ts'
import { openTransaction } from '../support/event-log.ts'
import { createOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'

const { db } = await createTestDatabase()

it('the age of the oldest event that cannot be read grows while a transaction is open that began before it', async () => {
  const org = await createOrg(db)
  const age = async () => (await readLogFigures(db)).unreadableSeconds
  await eventually(async () => (await age()) === 0)
  const { commit } = await openTransaction(db)
  await recordEvents(db, [{ orgId: org.id, kind: 'contact.updated', actor: 'test' }])
  await eventually(async () => (await age()) > 1)
  await commit()
  await eventually(async () => (await age()) === 0)
})

it('the size of the log is given by kind of partition', async () => {
  const { sizes } = await readLogFigures(db)
  expect(sizes.map(({ partition }) => partition).sort()).toEqual([...PARTITIONS].sort())
  for (const { bytes } of sizes) expect(bytes).toBeGreaterThan(0)
})
