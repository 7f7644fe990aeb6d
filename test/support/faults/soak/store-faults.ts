import { setTimeout as sleep } from 'node:timers/promises'
import type { ProxyMode } from '../../tcp-proxy.ts'
import { whileLocked } from '../lab/lock.ts'
import { type Fault, type FaultLimits, instantFault, SHORTEST_OUTAGE_MS, timedFault } from './fault.ts'

/** What happens to connections, as the printed tables call it. */
const CONNECTION_FAULTS: [ProxyMode, string][] = [
  ['blackhole', 'swallowed'],
  ['reset', 'reset'],
  ['refuse', 'refused'],
  ['delay', 'delayed'],
  ['slice', 'sliced'],
]

/** Tables that a delivery, a send or a call of the API needs. */
const TABLES = [
  ...['inbox', 'messages', 'customers', 'customer_aliases', 'chatrooms', 'contacts', 'outbox', 'events'],
  ...['orgs', 'meta_objects', 'chatroom_members', 'event_log', 'webhook_endpoints', 'webhook_lanes'],
]

/** Faults of PostgreSQL and of the connections to it. */
export function postgresFaults({ longestOutageMs: longestMs, longestFreezeMs }: FaultLimits): Fault[] {
  return [
    lockTable(longestFreezeMs),
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

/** What a migration or a `VACUUM FULL` does: nobody reads or writes a table until it is over. */
function lockTable(longestMs: number): Fault {
  return {
    kind: 'postgres: a table locked',
    targets: ['postgres'],
    async run(lab, random, ended) {
      const [table, ms] = [random.pick(TABLES), random.int(SHORTEST_OUTAGE_MS, longestMs)]
      await whileLocked(lab, `lock table ${table}`, () => sleep(ms))
      ended()
    },
  }
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
