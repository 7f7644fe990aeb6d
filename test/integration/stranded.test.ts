import { beforeEach, describe, expect, it } from 'vitest'
import { requeueStranded } from '../../src/inbox/requeue-stranded.ts'
import { countSuspectTries, readSuspects } from '../../src/inbox/stranded.ts'
import { createTestDatabase } from '../support/database.ts'
import { inboxStates, store } from '../support/inbox.ts'

const { db } = await createTestDatabase()

beforeEach(() => db.$client.query('truncate inbox'))

async function requeue({ taken = true, waiting = 0 as number | 'unknown' } = {}) {
  const jobs: { ids: number[]; suspect: boolean }[] = []
  const enqueue = async (ids: number[], options?: { suspect: true }) => {
    jobs.push({ ids, suspect: options?.suspect === true })
    return taken
  }
  const done = await requeueStranded(db, enqueue, async () => (waiting === 'unknown' ? undefined : waiting))
  return { jobs, done }
}

const makeDue = (ids: number[]) =>
  db.$client.query(`update inbox set due_at = now() - interval '1 second' where id = any($1)`, [ids])
const bodies = (n: number) => Array.from({ length: n }, (_, i) => Buffer.from(`body ${i}`))

describe('stranded deliveries', () => {
  it('are enqueued after 30 s in jobs of 100, each once until it is due again', async () => {
    const ids = await store(db, ...bodies(250))
    expect((await requeue()).jobs).toEqual([])
    await makeDue(ids)
    const { jobs, done } = await requeue()
    expect(jobs.map((j) => j.ids.length)).toEqual([100, 100, 50])
    expect([jobs.flatMap((j) => j.ids), done.requeued]).toEqual([ids, 250])
    expect((await requeue()).jobs).toEqual([])
  })

  it('are due again after 1, 2, 4 minutes, and then every 4, for as long as a fault lasts', async () => {
    const ids = await store(db, ...bodies(1))
    const waits = []
    for (let i = 0; i < 8; i++) {
      await makeDue(ids)
      await requeue()
      const { rows } = await db.$client.query(
        'select round(extract(epoch from due_at - now()) / 60) as m from inbox',
      )
      waits.push(Number(rows[0].m))
    }
    expect(waits).toEqual([1, 2, 4, 4, 4, 4, 4, 4])
  })

  it('do not become suspects while the queue is long or its length is unknown', async () => {
    const ids = await store(db, ...bodies(3))
    for (const waiting of [21, 91_000, 'unknown', 21, 21, 21] as const) {
      await makeDue(ids)
      expect((await requeue({ waiting })).jobs).toEqual([{ ids, suspect: false }])
    }
    const { rows } = await db.$client.query('select max(requeues)::int as n from inbox')
    expect(rows).toEqual([{ n: 0 }])
    await makeDue(ids)
    expect((await requeue({ waiting: 20 })).jobs).toEqual([{ ids, suspect: false }])
  })

  it('become suspects, with a job each, at the fourth time', async () => {
    const ids = await store(db, ...bodies(3))
    for (let i = 0; i < 3; i++) {
      await makeDue(ids)
      expect((await requeue()).jobs).toEqual([{ ids, suspect: false }])
    }
    await makeDue(ids)
    expect((await requeue()).jobs).toEqual(ids.map((id) => ({ ids: [id], suspect: true })))
  })

  it('are all found in one run, or 1,000 of them while the queue is long', async () => {
    const ids = await store(db, ...bodies(2_300))
    await makeDue(ids)
    expect((await requeue({ waiting: 21 })).done.requeued).toBe(1_000)
    expect((await requeue()).done.requeued).toBe(1_300)
  })
})

it('suspects with fewer attempts are retried first, those without any together and others one by one', async () => {
  const [a = 0, b = 0, c = 0, d = 0, gone = 0] = await store(db, ...bodies(5))
  await countSuspectTries(db, [a, d])
  await countSuspectTries(db, [a])
  await db.$client.query('delete from inbox where id = $1', [gone])
  expect(await readSuspects(db, [a, b, c, d, gone])).toEqual([
    { ids: [b, c], attempts: 0 },
    { ids: [d], attempts: 1 },
    { ids: [a], attempts: 2 },
  ])
})

it('a suspect has five attempts, each counted before it begins, and then becomes a dead letter', async () => {
  const [id = 0, innocent = 0] = await store(db, Buffer.from('kills its worker'), Buffer.from('was there'))
  expect(await countSuspectTries(db, [id, innocent])).toEqual({ tries: [id, innocent], dead: [] })
  for (let i = 0; i < 4; i++) expect(await countSuspectTries(db, [id])).toEqual({ tries: [id], dead: [] })
  expect(await countSuspectTries(db, [id, innocent])).toEqual({ tries: [innocent], dead: [id] })
  expect(await inboxStates(db, [id])).toEqual(['dead'])
  const { rows } = await db.$client.query('select error from inbox where id = $1', [id])
  expect(rows[0].error).toBe('never finished in 5 tries')
  expect(await countSuspectTries(db, [id])).toEqual({ tries: [], dead: [] })
})
