import { expect, test } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { answerCanary } from '../../src/heartbeats/answer-canary.ts'
import { askCanaries } from '../../src/heartbeats/ask-canaries.ts'
import { expectCanaries } from '../../src/heartbeats/expect-canaries.ts'
import { readHeartbeats } from '../../src/heartbeats/read-heartbeats.ts'
import { recordSweep } from '../../src/heartbeats/record-sweep.ts'
import { QUEUE_NAMES } from '../../src/queue/names.ts'
import { createTestDatabase } from '../support/database.ts'

/** Moves a time of a heartbeat to that many seconds ago; to the millisecond within a transaction, where `now()` stands still. */
const backdate = (db: Db, column: string, name: string, seconds: number) =>
  db.$client.query(`update heartbeats set ${column} = now() - make_interval(secs => $2) where name = $1`, [
    name,
    seconds,
  ])

test('each queue is due for a canary 30 s after the last one, and only one process gets to enqueue it', async () => {
  const { db } = await createTestDatabase()
  const ask = async (tx: Db = db) => (await askCanaries(tx)).map(({ queue }) => queue)
  const due = await Promise.all([ask(), ask(), ask(), ask()])
  expect(due.flat().toSorted()).toEqual(QUEUE_NAMES.toSorted())
  await inTransaction(db, async (tx) => {
    for (const queue of QUEUE_NAMES) await backdate(tx, 'asked_at', queue, 29.9)
    expect(await ask(tx)).toEqual([])
    await backdate(tx, 'asked_at', 'deliveries', 30.001)
    expect(await ask(tx)).toEqual(['deliveries'])
  })
})

test('the age of a canary counts from the last answer of its queue, and a queue that never answered has none', async () => {
  const { db } = await createTestDatabase()
  await askCanaries(db)
  await answerCanary(db, 'outbound')
  await inTransaction(db, async (tx) => {
    await backdate(tx, 'answered_at', 'outbound', 40)
    const { canaries } = await readHeartbeats(tx)
    const never = { deliveries: null, webhooks: null, maintenance: null }
    expect(canaries).toEqual({ ...never, outbound: expect.closeTo(40, 2) })
    await answerCanary(tx, 'outbound')
    expect((await readHeartbeats(tx)).canaries.outbound).toBeCloseTo(0, 2)
  })
})

test('a sweep shows when it last finished and how many rows it changed then', async () => {
  const { db } = await createTestDatabase()
  await recordSweep(db, 'expire-old', 7)
  await inTransaction(db, async (tx) => {
    await backdate(tx, 'answered_at', 'expire-old', 40)
    expect((await readHeartbeats(tx)).sweeps).toMatchObject({
      'expire-old': expect.closeTo(40, 2),
      purge: null,
    })
    await recordSweep(tx, 'expire-old', 0)
    expect((await readHeartbeats(tx)).sweeps).toMatchObject({
      'expire-old': expect.closeTo(0, 2),
      purge: null,
    })
  })
  const { rows } = await db.$client.query('select name, rows from heartbeats')
  expect(rows).toEqual([{ name: 'expire-old', rows: 0 }])
})

test('queues whose canaries are unanswered for 90 s are named, but not in the first 90 s of a process', async () => {
  const { db } = await createTestDatabase()
  for (const queue of QUEUE_NAMES) await answerCanary(db, queue)
  await expectCanaries(db, 1_000)
  await backdate(db, 'answered_at', 'outbound', 91)
  await expect(expectCanaries(db, 1_000)).rejects.toThrow(/: outbound$/)
  await expectCanaries(db, 90)
  await db.$client.query('delete from heartbeats')
  await expect(expectCanaries(db, 91)).rejects.toThrow('deliveries, outbound, webhooks, maintenance')
})
