import { parseArgs } from 'node:util'
import type { Lifetime } from '../../src/lifetime.ts'
import { projectRoot } from '../../src/project-root.ts'
import { startDatabase } from './database.ts'
import { openFloor } from './floor.ts'
import { PROMISES } from './promises.ts'
import { runBench, say } from './setup.ts'
import { type Cost, openSide, quantile, takeTurns } from './sides.ts'

const HELP = `npm run bench -- prices [--rooms 1000000] [--batch 200] [--pairs 300] [--only WORDS]
What each promise of Usher adds to the floor (test/bench/floor.ts) for a message: the floor, and the floor with the promise,
route the same batches in turns. The last line is Usher itself beside the floor. --only: promises with these words.`

const FIGURES = ['backend', 'node', 'wal'] as const

/** `npm run bench -- prices`; see HELP. */
async function prices(lifetime: Lifetime): Promise<void> {
  const { only, ...turns } = readSettings()
  const server = await startDatabase(say)
  lifetime.onStop('postgres', server.stop)
  const floor = await openFloor('a', await server.clone(turns.rooms, 'a'))
  lifetime.onStop('the floor', floor.close)
  print(
    `${turns.pairs} pairs of batches of ${turns.batch} messages, ${turns.rooms} chatrooms; medians (10-90 %)`,
  )
  print('| what is added to the floor | backend, us | Node, us | WAL, bytes |\n|---|---|---|---|')
  const usher = (url: string) => openSide('b', projectRoot(), url)
  const sides = [
    ...Object.entries(PROMISES).map(
      ([title, extra]) => [title, (url: string) => openFloor('b', url, extra)] as const,
    ),
    ['all of Usher', usher] as const,
  ]
  let costs: [Cost, Cost][] = []
  for (const [title, open] of sides.filter(([title]) => title.includes(only))) {
    const other = await open(await server.clone(turns.rooms, 'b'))
    try {
      costs = await takeTurns([floor, other], turns)
    } finally {
      await other.close()
    }
    print(rowOf(title, costs, ([a, b], name) => b[name] - a[name]))
  }
  print(rowOf('the floor itself', costs, ([a], name) => a[name]))
}

function rowOf(
  title: string,
  costs: [Cost, Cost][],
  of: (pair: [Cost, Cost], name: (typeof FIGURES)[number]) => number,
): string {
  const cells = FIGURES.map((name) => {
    const values = costs.map((pair) => of(pair, name))
    const [low, median, high] = [0.1, 0.5, 0.9].map((q) => quantile(values, q).toFixed(0))
    return `${median} (${low} to ${high})`
  })
  return `| ${[title, ...cells].join(' | ')} |`
}

const print = (line: string) => void process.stdout.write(`${line}\n`)

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: { rooms: text('1000000'), batch: text('200'), pairs: text('300'), only: text('') },
  })
  const { rooms, batch, pairs, only } = values
  return { rooms: Number(rooms), batch: Number(batch), pairs: Number(pairs), only }
}

runBench(prices, HELP)
