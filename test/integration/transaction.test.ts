import { expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { nothing, run, type Statement } from '../../src/db/statement.ts'
import { COMMIT, commitWith, inReplayableTransaction, inTransaction } from '../../src/db/transaction.ts'
import { createTestDatabase } from '../support/database.ts'
import { recordStatements } from '../support/statements.ts'

const { db, pool } = await createTestDatabase()

const backend = async (tx: Db) => (await tx.$client.query('select pg_backend_pid() as pid')).rows[0].pid

/** The statements of a transaction whose work fails with this error, and the connection it had. */
async function failing(error: Error) {
  const recorded = recordStatements(pool)
  let pid = 0
  const work = inTransaction(db, async (tx) => {
    pid = await backend(tx)
    throw error
  })
  await expect(work).rejects.toBe(error)
  recorded.stop()
  return { texts: recorded.statements.map(({ text }) => text), pid }
}

it('a transaction whose work fails is rolled back and keeps its connection', async () => {
  const { texts, pid } = await failing(new Error('no'))
  expect(texts).toContain('rollback')
  expect(await backend(db)).toBe(pid)
})

it('a transaction on a connection that fell silent ends the connection without a rollback, which would wait as long', async () => {
  const { texts, pid } = await failing(new Error('Query read timeout'))
  expect(texts).not.toContain('rollback')
  expect(await backend(db)).not.toBe(pid)
})

it('only a replayable transaction does not wait for the disk', async () => {
  const show: Statement<string | undefined> = {
    text: 'show synchronous_commit',
    values: [],
    read: ([row]: { synchronous_commit: string }[]) => row?.synchronous_commit,
  }
  const replayable = inReplayableTransaction(db, { first: [show] }, async (_tx, [first]) => first)
  expect(await replayable).toBe('off')
  expect(await inTransaction(db, (tx) => run(tx, show))).toBe('on')
})

const plain = (text: string): Statement<void> => ({ text, values: [], read: nothing })
const count = async () => (await pool.query('select count(*)::int as n from kept')).rows[0].n
await pool.query('create table kept (n int primary key)')

it('a commit that travels with the first statements, or with the last ones, is the only one', async () => {
  const recorded = recordStatements(pool)
  const first = [plain('insert into kept values (1)'), COMMIT] as const
  await inReplayableTransaction(db, { first }, async () => undefined)
  await inTransaction(db, (tx) => commitWith(tx, [plain('insert into kept values (2)')]))
  await inTransaction(db, (tx) => run(tx, plain('insert into kept values (3)')))
  recorded.stop()
  expect(recorded.statements.filter(({ text }) => text === 'commit')).toHaveLength(3)
  expect(await count()).toBe(3)
})

it('a commit that travels with a statement that fails commits nothing', async () => {
  const twice = [plain('insert into kept values (8)'), plain('insert into kept values (8)')]
  await expect(
    inReplayableTransaction(db, { first: [...twice, COMMIT] }, async () => undefined),
  ).rejects.toThrow('duplicate key')
  await expect(inTransaction(db, (tx) => commitWith(tx, twice))).rejects.toThrow('duplicate key')
  expect(await count()).toBe(3)
})

it('inside a larger transaction, the commit of its first statements is left to that one', async () => {
  const first = [plain('insert into kept values (9)'), COMMIT] as const
  const failed = inTransaction(db, async (tx) => {
    await inReplayableTransaction(tx, { first }, async () => undefined)
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(await count()).toBe(3)
})
