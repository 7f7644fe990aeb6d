import { expect, test } from 'vitest'
import { answerCanary } from '../../src/heartbeats/answer-canary.ts'
import { askCanaries } from '../../src/heartbeats/ask-canaries.ts'
import { expectCanaries } from '../../src/heartbeats/expect-canaries.ts'
import { readHeartbeats } from '../../src/heartbeats/read-heartbeats.ts'
import { recordSweep } from '../../src/heartbeats/record-sweep.ts'
import { QUEUE_NAMES } from '../../src/queue/names.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const backdate = ({ pool }: TestDatabase, column: string, name: string, seconds: number) =>
  pool.query(`update heartbeats set ${column} = now() - make_interval(secs => $2) where name = $1`, [
    name,
    seconds,
  ])

test('each queue is due for a canary 30 s after the last one, and only one process gets to enqueue it', async () => {
  const database = await createTestDatabase()
  const ask = async () => (await askCanaries(database.db)).map(({ queue }) => queue)
  const due = await Promise.all([ask(), ask(), ask(), ask()])
  expect(due.flat().toSorted()).toEqual(QUEUE_NAMES.toSorted())
  await backdate(database, 'asked_at', 'deliveries', 29)
  expect(await ask()).toEqual([])
  await backdate(database, 'asked_at', 'deliveries', 30)
  expect(await ask()).toEqual(['deliveries'])
})

test('a queue that never answered has no age; the last answer counts', async () => {
  const database = await createTestDatabase()
  await askCanaries(database.db)
  await answerCanary(database.db, 'outbound')
  await backdate(database, 'answered_at', 'outbound', 40)
  const ages = async () => (await readHeartbeats(database.db)).canaries
  expect(await ages()).toEqual({ deliveries: null, outbound: expect.closeTo(40, 0), maintenance: null })
  await answerCanary(database.db, 'outbound')
  expect((await ages()).outbound).toBeLessThan(5)
})

test('a sweep shows when it last finished and how many rows it changed then', async () => {
  const { db, pool } = await createTestDatabase()
  await recordSweep(db, 'expire-old', 7)
  await recordSweep(db, 'expire-old', 0)
  const { sweeps } = await readHeartbeats(db)
  expect(sweeps).toMatchObject({ 'expire-old': expect.closeTo(0, 0), purge: null })
  expect((await pool.query('select name, rows from heartbeats')).rows).toEqual([
    { name: 'expire-old', rows: 0 },
  ])
})

test('canaries unanswered for 90 s name their queues, but not in the first 90 s of a process', async () => {
  const database = await createTestDatabase()
  for (const queue of QUEUE_NAMES) await answerCanary(database.db, queue)
  await expectCanaries(database.db, 1_000)
  await backdate(database, 'answered_at', 'outbound', 91)
  await expect(expectCanaries(database.db, 1_000)).rejects.toThrow(/: outbound$/)
  await expectCanaries(database.db, 90)
  await database.pool.query('delete from heartbeats')
  await expect(expectCanaries(database.db, 91)).rejects.toThrow('deliveries, outbound, maintenance')
})
