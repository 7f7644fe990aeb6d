import type { ProxyMode } from '../../tcp-proxy.ts'
import { type Fault, instantFault, timedFault } from './fault.ts'

/** What happens to connections, as the printed tables call it. */
const CONNECTION_FAULTS: [ProxyMode, string][] = [
  ['blackhole', 'swallowed'],
  ['reset', 'reset'],
  ['refuse', 'refused'],
  ['delay', 'delayed'],
  ['slice', 'sliced'],
]

/** Faults of PostgreSQL and of the connections to it. */
export function postgresFaults(longestMs: number): Fault[] {
  return [
    instantFault('postgres: immediate restart', 'postgres', (lab) => lab.postgres.crash()),
    instantFault('postgres: half of the backends terminated', 'postgres', ({ db }) =>
      db.$client.query(`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name <> 'lab' and random() < 0.5`),
    ),
    timedFault(longestMs, {
      kind: 'postgres: frozen',
      target: 'postgres',
      begin: (lab) => lab.postgres.freeze(),
      end: (lab) => lab.postgres.thaw(),
    }),
    ...connectionFaults('postgres', longestMs),
  ]
}

/** Faults of Redis and of the connections to it. */
export function redisFaults(longestMs: number): Fault[] {
  return [
    timedFault(longestMs, {
      kind: 'redis: kill -9, back empty',
      target: 'redis',
      begin: (lab) => lab.redis?.kill(),
      end: (lab) => lab.redis?.restart(),
    }),
    instantFault('redis: FLUSHALL', 'redis', async (lab) => lab.redis?.flush()),
    timedFault(longestMs, {
      kind: 'redis: frozen',
      target: 'redis',
      begin: (lab) => lab.redis?.freeze(),
      end: (lab) => lab.redis?.thaw(),
    }),
    timedFault(longestMs, {
      kind: 'redis: out of memory',
      target: 'redis',
      begin: (lab) => lab.redis?.limitMemory(1),
      end: (lab) => lab.redis?.limitMemory(0),
    }),
    ...connectionFaults('redis', longestMs),
  ]
}

function connectionFaults(target: 'postgres' | 'redis', longestMs: number): Fault[] {
  return CONNECTION_FAULTS.map(([mode, name]) =>
    timedFault(longestMs, {
      kind: `${target}: connections ${name}`,
      target,
      begin: (lab) => lab.proxies[target]?.set(mode),
      end: (lab) => lab.proxies[target]?.set('pass'),
    }),
  )
}
