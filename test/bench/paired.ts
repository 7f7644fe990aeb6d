import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Lifetime } from '../../src/lifetime.ts'
import { projectRoot } from '../../src/project-root.ts'
import { startDatabase } from './database.ts'
import { runBench, say } from './setup.ts'
import { openSide, takeTurns } from './sides.ts'

const HELP = `npm run bench -- paired --other FOLDER [--rooms 1000000] [--batch 200] [--pairs 100]
FOLDER is another checkout of Usher, built (npm run build), that works on this checkout's schema.`

/** `npm run bench -- paired`: the cost of routing in this checkout (A) and in another one (B), in one process. */
async function paired(lifetime: Lifetime): Promise<void> {
  const { other, rooms, batch, pairs } = readSettings()
  const server = await startDatabase(say)
  lifetime.onStop('postgres', server.stop)
  const sides = [
    await openSide('a', projectRoot(), await server.clone(rooms, 'a'), lifetime),
    await openSide('b', resolve(other), await server.clone(rooms, 'b'), lifetime),
  ] as const
  const names = ['this checkout', 'the other'] as const
  process.stdout.write(await takeTurns(sides, { rooms, batch, pairs, names }))
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: { other: text(''), rooms: text('1000000'), batch: text('200'), pairs: text('100') },
  })
  const { other, rooms, batch, pairs } = values
  if (other === '') throw new Error('--other is missing')
  return { other, rooms: Number(rooms), batch: Number(batch), pairs: Number(pairs) }
}

runBench(paired, HELP)
