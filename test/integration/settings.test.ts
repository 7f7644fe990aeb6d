import type pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { firstRow, run, send } from '../../src/db/statement.ts'
import { commitEach, inReplayableTransaction, inTransaction } from '../../src/db/transaction.ts'
import { insertSingle } from '../../src/inbox/insert.ts'
import { createTestDatabase } from '../support/database.ts'

const { url, pool } = await createTestDatabase()
await pool.query(`do $$ begin
  execute format('alter database %I set timezone to ''Asia/Kolkata''', current_database());
  execute format('alter database %I set default_transaction_isolation to ''serializable''', current_database());
end $$`)

const SHOW = {
  name: 'show-settings',
  text: `select current_setting('enable_seqscan') || ' ' || current_setting('statement_timeout') || ' ' ||
    current_setting('idle_in_transaction_session_timeout') || ' ' || current_setting('timezone') || ' ' ||
    current_setting('transaction_isolation') as held`,
  values: [],
  read: firstRow<{ held: string }>,
}
const HELD = { held: 'off 10s 5s UTC read committed' }
const NONE = { held: 'on 0 0 Asia/Kolkata serializable' }

describe.each([
  ['in the session', false],
  ['in each transaction, for a pooler in transaction mode', true],
])('settings that hold %s', (_, isPooled) => {
  const { db, close } = openDatabase(url, { max: 1, name: 'settings', onLost: () => {}, isPooled })
  afterAll(close)

  it('hold for a single statement, in transactions, and for statements that each commit', async () => {
    expect(await run(db, SHOW)).toEqual(HELD)
    expect(await inTransaction(db, (tx) => run(tx, SHOW))).toEqual(HELD)
    const replayable = { first: [SHOW] as const }
    expect(await inReplayableTransaction(db, replayable, async (_tx, [first]) => first)).toEqual(HELD)
    const commit = {
      ...SHOW,
      name: 'show-commit',
      text: `select current_setting('synchronous_commit') as held`,
    }
    const { held } = (await inReplayableTransaction(db, { first: [commit] }, async (_tx, [first]) => first))!
    expect([held, await run(db, commit)]).toEqual(['off', { held: 'on' }])
    expect(await commitEach(db, [SHOW, SHOW])).toEqual([HELD, HELD])
    const { rows } = await db.$client.query(SHOW)
    expect(rows).toEqual([HELD])
  })

  it(`${isPooled ? 'leave nothing in the session' : 'stay in the session'}`, async () => {
    const own: pg.Pool = db.$client
    const client = await own.connect()
    const { rows } = await client.query(SHOW)
    client.release()
    expect(rows).toEqual([isPooled ? NONE : HELD])
  })

  it('leave the connection usable after a statement that fails, whose error is passed on', async () => {
    const broken = { ...SHOW, name: 'broken', text: 'select 1 / 0 as held' }
    await expect(run(db, broken)).rejects.toMatchObject({ code: '22012' })
    await expect(commitEach(db, [broken, SHOW])).rejects.toMatchObject({ code: '22012' })
    await expect(inTransaction(db, (tx) => send(tx, [SHOW, broken]))).rejects.toMatchObject({ code: '22012' })
    expect(await run(db, SHOW)).toEqual(HELD)
  })

  it('let a single delivery commit before its flush, so that it is durable', async () => {
    const [id] = await insertSingle(db, Buffer.from('{}'), 2_000, '')
    expect((await pool.query('select 1 from inbox where id = $1', [id])).rowCount).toBe(1)
  })
})
