import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { isOfBullmq } from '../support/faults/checks/check-deadlocks.ts'
import { startFaultyPostgres } from '../support/faults/lab/postgres.ts'
import { makeFolder } from '../support/faults/lab/stores.ts'

it('a deadlock is described by the statements that waited for each other', async () => {
  const folder = await makeFolder('usher-deadlock-')
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const server = await startFaultyPostgres(folder)
  onTestFinished(server.stop)
  const [one, other] = [new pg.Client(server.url), new pg.Client(server.url)]
  for (const client of [one, other]) {
    await client.connect()
    client.on('error', () => undefined)
    onTestFinished(() => client.end())
    await client.query('begin')
  }
  const lock = (n: number) => `select pg_advisory_xact_lock(${n}) as "lock ${n}"`
  await one.query(lock(1))
  await other.query(lock(2))
  const ends = await Promise.allSettled([one.query(lock(2)), other.query(lock(1).replace(' as', '\n  as'))])
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])

  const described = await server.lastDeadlocks(5)
  expect(described).toHaveLength(1)
  for (const statement of [lock(1), lock(2)]) expect(described[0]).toContain(statement)
  expect(await server.lastDeadlocks(0)).toEqual([])
})

it('a deadlock between two statements of BullMQ is not one of Usher', async () => {
  const renewal = '-- Refresh multiple active-job locks in one round-trip; returns the ids whose'
  const search = '-- Two-phase stalled-job recovery (mark on one pass, reclaim on the next);'
  const deadlock = (...statements: string[]) =>
    ['Process 1 waits for ShareLock on transaction 7; blocked by process 2.']
      .concat(statements.map((statement, i) => `Process ${i + 1}: ${statement}`))
      .join(' ')
  expect(isOfBullmq(deadlock(renewal, search))).toBe(true)
  expect(isOfBullmq(deadlock(search, renewal))).toBe(true)
  expect(isOfBullmq(deadlock(search, 'update outbox set state = $1'))).toBe(false)
  expect(isOfBullmq('not in the log of PostgreSQL')).toBe(false)

  const scripts = join(projectRoot(), 'node_modules/bullmq/dist/esm/postgres/sql-scripts.js')
  const sql = await readFile(scripts, 'utf8')
  for (const text of [renewal, search]) expect(sql).toContain(text)
})
