import { parseArgs } from 'node:util'
import type { Lifetime } from '../../src/lifetime.ts'
import { projectRoot } from '../../src/project-root.ts'
import { createMutant } from '../support/faults/mutations/mutant.ts'
import { startDatabase } from './database.ts'
import { runBench, say } from './setup.ts'
import { openSide, reportOf, takeTurns } from './sides.ts'

const HELP = `npm run bench -- events [--rooms 1000000] [--batch 200] [--pairs 100]`

/** The same product with an event log that nothing is written to. */
const WITHOUT_LOG = [
  {
    file: 'src/event-log/log-events.js',
    from: `\`insert into event_log (position, \${names}) select \${position}, \${names} from \${source}\``,
    to: `\`select from \${source} limit 0\``,
  },
]

/** `npm run bench -- events`: what the event log costs a message that is routed. */
async function events(lifetime: Lifetime): Promise<void> {
  const { rooms, batch, pairs } = readSettings()
  const { root, remove } = await createMutant(WITHOUT_LOG)
  lifetime.onStop('the product without the log', remove)
  const server = await startDatabase(say)
  lifetime.onStop('postgres', server.stop)
  const sides = [
    await openSide('a', projectRoot(), await server.clone(rooms, 'a')),
    await openSide('b', root, await server.clone(rooms, 'b')),
  ] as const
  const names = ['with the event log', 'without it'] as const
  for (const { label, close } of sides) lifetime.onStop(`pool ${label}`, close)
  const turns = { rooms, batch, pairs }
  process.stdout.write(reportOf(await takeTurns(sides, turns), turns, names))
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: { rooms: text('1000000'), batch: text('200'), pairs: text('100') },
  })
  const { rooms, batch, pairs } = values
  return { rooms: Number(rooms), batch: Number(batch), pairs: Number(pairs) }
}

runBench(events, HELP)
