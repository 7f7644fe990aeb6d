import { once } from 'node:events'
import { watchClock } from '../src/heartbeats/watch-clock.ts'
import { createLifetime, type Lifetime } from '../src/lifetime.ts'
import { createLogger, logConsole } from '../src/logger.ts'
import { readConfig } from '../src/read-config.ts'
import { startTracing } from '../src/tracing/start.ts'
import { startDatabase } from './database.ts'
import { createProbes } from './probes.ts'
import { openShared } from './shared.ts'
import { answerParent } from './split/answer-parent.ts'
import { startWorkers } from './start.ts'

/**
 * The main module of the process that a process in the role `all` starts for its workers (`workers/split`). It listens
 * nowhere: its parent shows its readiness and its metrics. It ends when the parent disconnects, also when the parent was
 * killed.
 */
// The parent may have ended while the modules were loaded.
const parentEnded: Promise<unknown> = process.connected ? once(process, 'disconnect') : Promise.resolve()

// A signal to the process group also reaches the parent, whose receiver goes on for a while.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

const STOP_MS = 4_000

async function main(): Promise<void> {
  const config = readConfig(process.env, 'workers')
  const log = createLogger(config).child({ process: 'workers' })
  logConsole(log)
  const lifetime = createLifetime(log)
  const started = start({ config, role: 'workers' as const, log, lifetime, isForked: true })
  // The start may wait for a database for ever, and the parent may end meanwhile.
  await Promise.race<unknown>([parentEnded, started.then(() => parentEnded)])
  await lifetime.stop(STOP_MS)
}

type Parts = Parameters<typeof startDatabase>[0] & { role: 'workers'; lifetime: Lifetime }

async function start(parts: Parts): Promise<void> {
  const { config, log, lifetime } = parts
  const tracing = await startTracing(config.traces, log)
  lifetime.onStop('traces', () => tracing.stop())
  const database = await startDatabase(parts)
  const shared = openShared({ ...parts, database, tracing, isOneOfTwo: true })
  const workers = startWorkers(shared)
  const clock = watchClock({ ...shared, workers, now: Date.now })
  lifetime.onStop('clock', () => clock.stop())
  answerParent({ probes: createProbes({ ...shared, clock }), registry: shared.metrics.registry })
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
