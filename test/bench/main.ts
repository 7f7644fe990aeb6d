/**
 * `npm run bench`: the benchmark, or with one of these words first, another measurement. Each reads the options that
 * follow.
 */
const OTHERS = {
  beside: () => import('./beside.ts'),
  events: () => import('./events.ts'),
  growth: () => import('./growth.ts'),
  import: () => import('./import.ts'),
  paired: () => import('./paired.ts'),
  peers: () => import('./peers.ts'),
  posting: () => import('./posting.ts'),
  prices: () => import('./prices.ts'),
  retention: () => import('./retention.ts'),
  statements: () => import('./statements.ts'),
  storm: () => import('./storm.ts'),
  sustained: () => import('./sustained.ts'),
  sweep: () => import('./sweep.ts'),
  table: () => import('./table.ts'),
}

const word = process.argv[2]
if (word !== undefined && Object.hasOwn(OTHERS, word)) {
  process.argv.splice(2, 1)
  await OTHERS[word as keyof typeof OTHERS]()
} else await import('./benchmark.ts')

export {}
