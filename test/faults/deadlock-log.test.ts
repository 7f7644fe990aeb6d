import { rm } from 'node:fs/promises'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
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
