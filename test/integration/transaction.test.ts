import { expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { run, type Statement } from '../../src/db/statement.ts'
import { inReplayableTransaction, inTransaction } from '../../src/db/transaction.ts'
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
  const replayable = inReplayableTransaction(
    db,
    { keepPlans: false, first: [show] },
    async (_tx, [first]) => first,
  )
  expect(await replayable).toBe('off')
  expect(await inTransaction(db, (tx) => run(tx, show))).toBe('on')
})
