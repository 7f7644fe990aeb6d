import { expect, it } from 'vitest'
import { type Db, inReplayableTransaction, inTransaction, together } from '../../src/db/client.ts'
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

it('rolls back and keeps the connection when the work fails', async () => {
  const { texts, pid } = await failing(new Error('no'))
  expect(texts).toContain('rollback')
  expect(await backend(db)).toBe(pid)
})

it('gives up a connection that fell silent at once: a rollback over it would wait just as long', async () => {
  const { texts, pid } = await failing(new Error('Query read timeout'))
  expect(texts).not.toContain('rollback')
  expect(await backend(db)).not.toBe(pid)
})

it('throws the failure that made the others fail, once all statements sent along have ended', async () => {
  let ended = false
  const work = inTransaction(db, (tx) => {
    const twoSteps = async () => {
      await tx.$client.query('select 1')
      await tx.$client.query('select 2').finally(() => {
        ended = true
      })
    }
    return together([twoSteps(), tx.$client.query('select 1 / 0'), tx.$client.query('select 3')])
  })
  await expect(work).rejects.toMatchObject({ code: '22012' })
  expect(ended).toBe(true)
})

it('does not wait for the disk where work is done again if its commit is lost, and only there', async () => {
  const waits = async (tx: Db) =>
    (await tx.$client.query('show synchronous_commit')).rows[0].synchronous_commit
  const replayable = inReplayableTransaction(db, false, async (tx, begun) => {
    const [, answer] = await together([begun, waits(tx)])
    return answer
  })
  expect(await replayable).toBe('off')
  expect(await inTransaction(db, waits)).toBe('on')
})
