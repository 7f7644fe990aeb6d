import pg from 'pg'
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { STORED_CHANNEL } from '../../src/inbox/insert.ts'
import { createInboxWriter } from '../../src/inbox/save.ts'
import { InboxFullError, type InboxLimits } from '../../src/inbox/waiting-room.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { PATIENCE_MS, SLOWNESS } from '../support/patience.ts'

let database: TestDatabase
let inserts: number[][]

beforeAll(async () => {
  database = await createTestDatabase()
})

beforeEach(async () => {
  await database.pool.query('truncate inbox')
  inserts = []
})

/** A deadline that inserts of a test exceed on purpose. A slow machine gets more, so that others stay within it. */
const DEADLINE_MS = 200 * SLOWNESS

const open = (limits: Partial<InboxLimits> = {}) =>
  createInboxWriter({
    db: database.db,
    onSaved: (ids) => inserts.push(ids),
    limits: { deadlineMs: PATIENCE_MS, ...limits },
  })

const stored = async () => (await database.pool.query('select id, body from inbox order by id')).rows

/** Holds the table until `work` is done, so that inserts wait. */
async function whileLocked(work: () => Promise<void>): Promise<void> {
  const client = await database.pool.connect()
  try {
    await client.query('begin; lock table inbox in access exclusive mode')
    await work()
  } finally {
    await client.query('rollback')
    client.release()
  }
}

describe('the inbox writer', () => {
  test('inserts a single delivery at once', async () => {
    const { save, close } = open()
    await save(Buffer.from('a'))
    await save(Buffer.from('b'))
    await close()
    expect(inserts.map((ids) => ids.length)).toEqual([1, 1])
  })

  test('notifies workers of a delivery when none was stored in the 10 ms before, and of a batch only by its job', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    vi.advanceTimersByTime(1)
    const client = new pg.Client(database.url)
    await client.connect()
    const notified: (string | undefined)[] = []
    client.on('notification', ({ payload }) => notified.push(payload))
    await client.query(`listen ${STORED_CHANNEL}`)
    const { save, close } = open()
    await save(Buffer.from('single'))
    await Promise.all(['next', 'with it', 'too'].map((word) => save(Buffer.from(word))))
    vi.advanceTimersByTime(10)
    await save(Buffer.from('soon after'))
    vi.advanceTimersByTime(11)
    await save(Buffer.from('single again'))
    await close()
    await client.query('select 1')
    await client.end()
    expect(inserts.map((ids) => ids.length)).toEqual([1, 3, 1, 1])
    expect(notified).toEqual([inserts[0], inserts[3]].map((ids) => `${ids?.[0]} `))
  })

  test('resolves when a single delivery is on the disk, although workers get it earlier', async () => {
    const wal = async (position: string) =>
      (await database.pool.query(`select pg_current_wal_${position}_lsn() - '0/0'::pg_lsn as at`)).rows[0].at
    const { save } = open()
    const before = Number(await wal('insert'))
    await save(Buffer.from('single'))
    expect(Number(await wal('flush'))).toBeGreaterThan(before)
  })

  test('puts deliveries that arrive during an insert into the next one, at most 500, in the order of arrival', async () => {
    const { save, close } = open()
    const words = Array.from({ length: 1_200 }, (_, i) => `delivery ${i}`)
    await Promise.all(words.map((word) => save(Buffer.from(word))))
    await close()
    expect(inserts.map((ids) => ids.length)).toEqual([1, 500, 500, 199])
    const rows = await stored()
    expect(rows.map((row) => String(row.body))).toEqual(words)
    expect(rows.map((row) => Number(row.id))).toEqual(inserts.flat())
  })

  test('puts at most 1 MB into one insert; a larger body gets an insert of its own', async () => {
    const { save, close } = open()
    const sizes = [1, 600_000, 400_000, 60_000, 3_000_000, 10, 10]
    await Promise.all(sizes.map((size) => save(Buffer.alloc(size, 1))))
    await close()
    expect(inserts.map((ids) => ids.length)).toEqual([1, 2, 1, 1, 2])
    expect((await stored()).map((row) => row.body.length)).toEqual(sizes)
  })

  test('resolves only after the commit', async () => {
    const { save } = open()
    let resolved = false
    await whileLocked(async () => {
      void save(Buffer.from('a')).then(() => {
        resolved = true
      })
      await database.pool.query('select pg_sleep(0.1)')
      expect(resolved).toBe(false)
    })
    await expect.poll(() => resolved).toBe(true)
    expect((await stored()).length).toBe(1)
  })

  test('rejects every delivery of a failed insert, and works again at the next one', async () => {
    const { save } = open()
    await database.pool.query('alter table inbox rename to elsewhere')
    const results = await Promise.allSettled(['a', 'b', 'c'].map((word) => save(Buffer.from(word))))
    await database.pool.query('alter table elsewhere rename to inbox')
    expect(results.map((r) => r.status === 'rejected' && r.reason.code)).toEqual(Array(3).fill('42P01'))
    await save(Buffer.from('d'))
    expect((await stored()).map((row) => String(row.body))).toEqual(['d'])
  })

  test('rejects at the deadline the deliveries of the running insert and those that wait behind it', async () => {
    const { save, close } = open({ deadlineMs: DEADLINE_MS })
    await whileLocked(async () => {
      const start = performance.now()
      const results = await Promise.allSettled(['a', 'b', 'c'].map((word) => save(Buffer.from(word))))
      expect(performance.now() - start).toBeLessThan(2 * DEADLINE_MS)
      expect(results.map((r) => r.status)).toEqual(Array(3).fill('rejected'))
    })
    await save(Buffer.from('d'))
    await close()
    const words = (await stored()).map((row) => String(row.body))
    expect(words).toContain('d')
    expect(words).not.toContain('b')
  })

  test('refuses a body at once when its memory is full, and accepts bodies again when there is room', async () => {
    const { save } = open({ maxWaitingBytes: 1_000, deadlineMs: DEADLINE_MS })
    await whileLocked(async () => {
      const waiting = [save(Buffer.alloc(600)), save(Buffer.alloc(300))]
      await expect(save(Buffer.alloc(101))).rejects.toBeInstanceOf(InboxFullError)
      const last = save(Buffer.alloc(100))
      const results = await Promise.allSettled([...waiting, last])
      expect(results.map((r) => r.status)).toEqual(Array(3).fill('rejected'))
    })
    await expect.poll(() => save(Buffer.alloc(1_000)).then(() => 'saved', String)).toBe('saved')
    await save(Buffer.alloc(1_000))
  })

  test('closes only when every accepted delivery has been answered', async () => {
    const { save, close } = open()
    let answered = 0
    const saves = ['a', 'b', 'c'].map((word) => save(Buffer.from(word)).then(() => (answered += 1)))
    await close()
    expect(answered).toBe(3)
    await Promise.all(saves)
    await close()
  })
})
