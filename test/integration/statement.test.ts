import { expect, it, vi } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { columns, int, text } from '../../src/db/columns.ts'
import { allRows, nothing, over, run, type Statement, send } from '../../src/db/statement.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { createTestDatabase } from '../support/database.ts'
import { recordStatements } from '../support/statements.ts'
import { waitingQueries } from '../support/waiting-queries.ts'

const { db, pool } = await createTestDatabase()
await pool.query('create table seats (id int primary key, guest text)')
await pool.query(`insert into seats values (1, 'before')`)

const plain = (sql: string): Statement<unknown[]> => ({
  text: sql,
  values: [],
  read: (rows: unknown[]) => rows,
})
const lockSeat: Statement<void> = {
  name: 'lock-seat',
  text: 'select from seats where id = 1 for update',
  values: [],
  read: nothing,
}
const readSeat: Statement<string | undefined> = {
  name: 'read-seat',
  text: 'select guest from seats where id = 1',
  values: [],
  read: ([row]: { guest: string }[]) => row?.guest,
}

/** Another transaction holds the seat, changes it, and commits after `locker` began to wait for it. */
async function changeSeatWhile<T>(guest: string, locker: () => Promise<T>): Promise<T> {
  const other = await pool.connect()
  await other.query('begin')
  await other.query('update seats set guest = $1 where id = 1', [guest])
  const result = locker()
  await expect.poll(() => waitingQueries(pool)).toHaveLength(1)
  await other.query('commit')
  other.release()
  return result
}

it('a statement sent behind a lock reads what was committed while the lock was waited for', async () => {
  const guest = await changeSeatWhile('meanwhile', () =>
    inTransaction(db, async (tx) => {
      const [, read] = await send(tx, [lockSeat, readSeat])
      return read
    }),
  )
  expect(guest).toBe('meanwhile')
})

it('an await between two statements does not change their order, because building a statement sends nothing', async () => {
  const slowly = async (tx: Db, statement: Statement<void>) => {
    await run(tx, plain('select 1'))
    return statement
  }
  let order: string[] = []
  const guest = await changeSeatWhile('again', () =>
    inTransaction(db, async (tx) => {
      const reading = readSeat
      const locking = await slowly(tx, lockSeat)
      const submitted = vi.spyOn(tx.$client, 'query')
      const [, read] = await send(tx, [locking, reading])
      order = submitted.mock.calls.map(([query]) => (query as { name?: string }).name ?? '')
      submitted.mockRestore()
      return read
    }),
  )
  expect([order, guest]).toEqual([['lock-seat', 'read-seat'], 'again'])
})

it('several statements are refused outside of a transaction, where each could take a connection of its own', async () => {
  await expect(send(db, [lockSeat, readSeat])).rejects.toThrow('inside a transaction')
  expect(await run(db, readSeat)).toBeDefined()
})

it('the error of the statement that failed first is thrown, not those of the statements behind it', async () => {
  const work = inTransaction(db, (tx) =>
    send(tx, [plain('select pg_sleep(0.05)'), plain('select 1 / 0'), plain('select 3')]),
  )
  await expect(work).rejects.toMatchObject({ code: '22012' })
})

type Guest = { id: number; name: string | null }
const GUESTS = columns<Guest>({ id: int((g) => g.id), name: text((g) => g.name) })

it('a description of columns gives names, arrays and values in one order, and numbers the rows on request', async () => {
  const guests = [
    { id: 7, name: 'Ana' },
    { id: 3, name: null },
  ]
  const rows = await run(
    db,
    over(GUESTS, guests, {
      text: `select ${GUESTS.names}, place::int from ${GUESTS.as('g', { ordinality: 'place' })}`,
      read: allRows<Guest & { place: number }>,
    }),
  )
  expect(rows).toEqual([
    { id: 7, name: 'Ana', place: 1 },
    { id: 3, name: null, place: 2 },
  ])
})

it('a statement over no rows is not sent', async () => {
  const recorded = recordStatements(pool)
  const result = await inTransaction(db, (tx) =>
    run(tx, over(GUESTS, [], { text: 'this is no SQL', read: (rows: Guest[]) => rows.length })),
  )
  recorded.stop()
  expect([result, recorded.statements.map((s) => s.text)]).toEqual([0, ['begin', 'commit']])
})
