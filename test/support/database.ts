import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'
import { type Db, openDatabase } from '../../src/db/client.ts'
import { sqlState } from '../../src/db/pg-errors.ts'
import { atEndOf } from './at-end.ts'
import { PATIENCE_MS } from './patience.ts'

export type TestDatabase = {
  url: string
  db: Db & { $client: pg.Pool }
  pool: pg.Pool
}

/**
 * What a test's pool may take: a busy machine is no failure. A test of Usher's own deadlines opens a pool of its own.
 */
const patient = () => ({ query_timeout: PATIENCE_MS + 1_000 })

const OBJECT_IN_USE = '55006'

/** A migrated, empty database of its own on the test server, until the end of the test file. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(`create database ${name} template usher_template`)
  const url = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${name}` }).href
  const deadlines = { statementMs: PATIENCE_MS, idleInTransactionMs: PATIENCE_MS }
  const patience = { deadlines, waitMs: PATIENCE_MS }
  const { db, close } = openDatabase(url, { max: 10, name: 'test', onLost: () => {}, ...patience })
  Object.assign(db.$client.options, patient())
  atEndOf('file', async () => {
    await close()
    await onServer(`drop database if exists ${name} with (force)`)
  })
  return { url, db, pool: db.$client }
}

/** The template counts as in use while autovacuum looks at it. */
async function onServer(statement: string): Promise<void> {
  const client = new pg.Client(inject('postgresUrl'))
  await client.connect()
  try {
    for (let triesLeft = 20; ; triesLeft -= 1) {
      try {
        await client.query(statement)
        return
      } catch (error) {
        if (sqlState(error) !== OBJECT_IN_USE || triesLeft === 0) throw error
        await sleep(200)
      }
    }
  } finally {
    await client.end()
  }
}
