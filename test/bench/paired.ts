import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Lifetime } from '../../src/lifetime.ts'
import { projectRoot } from '../../src/project-root.ts'
import { startDatabase } from './database.ts'
import { openFloor } from './floor.ts'
import { runBench, say } from './setup.ts'
import { openSide, takeTurns } from './sides.ts'

const FLOOR = 'floor'

const HELP = `npm run bench -- paired --other FOLDER [--rooms 1000000] [--batch 200] [--pairs 100] [--locale en_US.UTF-8]
FOLDER is another checkout of Usher, built (npm run build), that works on this checkout's schema, or the word ${FLOOR}: the
least that any design pays for a batch, by hand-written SQL (test/bench/floor.ts).`

/** `npm run bench -- paired`: the cost of routing in this checkout (A) and in another one, or of the floor (B), in one process. */
async function paired(lifetime: Lifetime): Promise<void> {
  const { other, rooms, batch, pairs, locale } = readSettings()
  const server = await startDatabase(say, locale)
  lifetime.onStop('postgres', server.stop)
  const isFloor = other === FLOOR
  const urls = [await server.clone(rooms, 'a'), await server.clone(rooms, 'b')] as const
  const sides = [
    await openSide('a', projectRoot(), urls[0], lifetime),
    isFloor
      ? await openFloor('b', urls[1], lifetime)
      : await openSide('b', resolve(other), urls[1], lifetime),
  ] as const
  const names = ['this checkout', isFloor ? 'the floor' : 'the other'] as const
  process.stdout.write(await takeTurns(sides, { rooms, batch, pairs, names }))
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
    },
  })
  const { other, rooms, batch, pairs, locale } = values
  if (other === '') throw new Error('--other is missing')
  return { other, rooms: Number(rooms), batch: Number(batch), pairs: Number(pairs), locale }
}

runBench(paired, HELP)
