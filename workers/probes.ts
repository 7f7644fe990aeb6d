import type { Role } from '../src/config.ts'
import type { Database } from '../src/db/client.ts'
import { proveConnections } from '../src/db/prove-connections.ts'
import { proveSchema } from '../src/db/prove-schema.ts'
import { expectCanaries } from '../src/heartbeats/expect-canaries.ts'
import { keepProof } from '../src/heartbeats/keep-proof.ts'
import type { ClockWatch } from '../src/heartbeats/watch-clock.ts'
import type { Probe } from '../src/http/run-probes.ts'
import type { Lifetime } from '../src/lifetime.ts'
import type { AccessTokens } from '../src/outbound/access-tokens.ts'
import { type Engine, ping } from '../src/queue/connection.ts'
import type { ProcessDatabase } from './database.ts'

type Parts = {
  role: Exclude<Role, 'cli'>
  db: Database['db']
  database: ProcessDatabase
  engine: Engine
  tokens: AccessTokens
  clock: ClockWatch
  lifetime: Lifetime
}

/**
 * What a process needs to work, as `/ready` and the log show it. A receiver loses nothing without a queue, so the queue
 * and its canaries are not vital to it and it stays in rotation; a process that only runs workers can do nothing without
 * them. No process may work by a wrong clock, with the tables of another version, or over connections that do not keep
 * what they promise. A process whose workers have no key for the access tokens does everything but send.
 */
export function createProbes({ role, db, database, engine, tokens, clock, lifetime }: Parts): Probe[] {
  const runsOnlyWorkers = role === 'workers'
  // Jobs of a process without workers are done by others, which may start later.
  const upSeconds = role === 'server' ? process.uptime : () => Number.POSITIVE_INFINITY
  const connections = keepProof(() => proveConnections(database))
  const schema = keepProof(async () => {
    await database.migrated.catch(() => undefined)
    await proveSchema(db)
  })
  lifetime.onStop('proof of the connections', connections.stop)
  lifetime.onStop('proof of the schema', schema.stop)
  return [
    { name: 'database', check: () => db.$client.query('select 1 from inbox limit 0'), vital: true },
    { name: 'connections', check: connections.expect, vital: true },
    { name: 'schema', check: schema.expect, vital: true },
    { name: 'queue', check: () => ping(engine), vital: runsOnlyWorkers },
    { name: 'canaries', check: () => expectCanaries(db, upSeconds()), vital: runsOnlyWorkers },
    { name: 'clock', check: clock.expectRight, vital: true },
    ...(role === 'server' ? [] : [{ name: 'secrets', check: tokens.expectKey, vital: false }]),
  ]
}
