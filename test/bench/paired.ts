import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import type { Lifetime } from '../../src/lifetime.ts'
import { projectRoot } from '../../src/project-root.ts'
import { startDatabase } from './database.ts'
import { openFloor } from './floor.ts'
import { runBench, say } from './setup.ts'
import { openSide, reportOf, takeTurns } from './sides.ts'

const FLOOR = 'floor'

const HELP = `npm run bench -- paired --other FOLDER [--rooms 1000000] [--batch 200] [--pairs 100] [--locale en_US.UTF-8]
  [--sql SQL] [--ledger 20000000]
FOLDER is another checkout of Usher, built (npm run build), that works on this checkout's schema, or the word ${FLOOR}: the
least that any design pays for a batch, by hand-written SQL (test/bench/floor.ts). SQL is run in the other's database
beforehand: what does an index cost, or a constraint? Take it away there, with this checkout on both sides (--other .).
The other's ledger has --ledger messages of the last four months already.`

async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

/** `npm run bench -- paired`: the cost of routing in this checkout (A) and in another one, or of the floor (B), in one process. */
async function paired(lifetime: Lifetime): Promise<void> {
  const { other, rooms, batch, pairs, locale, sql, ledger } = readSettings()
  const server = await startDatabase(say, locale)
  lifetime.onStop('postgres', server.stop)
  const isFloor = other === FLOOR
  const urls = [await server.clone(rooms, 'a'), await server.clone(rooms, 'b', ledger)] as const
  if (sql !== undefined) await runSql(urls[1], sql)
  const sides = [
    await openSide('a', projectRoot(), urls[0]),
    isFloor ? await openFloor('b', urls[1]) : await openSide('b', resolve(other), urls[1]),
  ] as const
  for (const { label, close } of sides) lifetime.onStop(`pool ${label}`, close)
  const names = ['this checkout', isFloor ? 'the floor' : 'the other'] as const
  const turns = { rooms, batch, pairs }
  process.stdout.write(reportOf(await takeTurns(sides, turns), turns, names))
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      other: text(''),
      rooms: text('1000000'),
      batch: text('200'),
      pairs: text('100'),
      locale: { type: 'string' },
      sql: { type: 'string' },
      ledger: text('0'),
    },
  })
  const { other, rooms, batch, pairs, locale, sql, ledger } = values
  if (other === '') throw new Error('--other is missing')
  const numbers = { rooms: Number(rooms), batch: Number(batch), pairs: Number(pairs), ledger: Number(ledger) }
  return { ...numbers, other, locale, sql }
}

runBench(paired, HELP)
