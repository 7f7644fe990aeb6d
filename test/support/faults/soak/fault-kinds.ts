import { accepts, acceptsBut, type Reply, refuses, replies, resets, stalls } from '../../graph-server.ts'
import type { Lab } from '../lab/lab.ts'
import { endpointFaults, healEndpoints } from './endpoint-faults.ts'
import { type Fault, type FaultLimits, timedFault } from './fault.ts'
import { processFaults } from './process-faults.ts'
import { postgresFaults, redisFaults } from './store-faults.ts'

/** A gateway in front of the Graph API answers for it. */
const GATEWAY_PAGE = replies(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' })

/** Ways of the Graph API to fail: it refuses for certain, or it accepts and its answer is lost. */
const GRAPH_FAILURES: [name: string, reply: Reply][] = [
  ['500', refuses(131016, 500)],
  ['429', refuses(130429, 429)],
  ['no answer', acceptsBut(stalls)],
  ['connection reset', acceptsBut(resets)],
  ["a gateway's page", acceptsBut(GATEWAY_PAGE)],
]

/** Every kind of fault that can happen to an installation. */
export function faultKinds(lab: Pick<Lab, 'engine' | 'endpoints'>, limits: FaultLimits): Fault[] {
  const { longestFreezeMs, longestOutageMs } = limits
  return [
    ...processFaults(longestFreezeMs),
    ...postgresFaults(limits),
    timedFault(longestOutageMs, {
      kind: 'receiver: connections reset',
      target: 'connections',
      begin: (lab, random) => random.pick(lab.proxies.receivers).set('reset'),
      end: (lab) => Promise.all(lab.proxies.receivers.map((proxy) => proxy.set('pass'))),
    }),
    ...graphFaults(longestOutageMs),
    ...endpointFaults(lab, longestOutageMs),
    ...(lab.engine === 'redis' ? redisFaults(longestOutageMs) : []),
  ]
}

function graphFaults(longestMs: number): Fault[] {
  const failing = GRAPH_FAILURES.map(([name, reply]) =>
    timedFault(longestMs, {
      kind: `graph: ${name}`,
      target: 'graph',
      lingers: true,
      begin: (lab) => lab.graph.set(reply),
      end: (lab) => lab.graph.set(accepts),
    }),
  )
  const refused = timedFault(longestMs, {
    kind: 'graph: connections refused',
    target: 'graph',
    lingers: true,
    begin: (lab) => lab.proxies.graph.set('refuse'),
    end: (lab) => lab.proxies.graph.set('pass'),
  })
  return [...failing, refused]
}

/** Undoes whatever a fault may have left. */
export async function healAll(lab: Lab): Promise<void> {
  const { postgres, redis, graph, proxies, receivers, workers } = lab
  postgres.thaw()
  redis?.thaw()
  await redis?.restart()
  await redis?.limitMemory(0)
  graph.set(accepts)
  await healEndpoints(lab)
  const toStores = [proxies.postgres, proxies.graph, ...(proxies.redis ? [proxies.redis] : [])]
  for (const proxy of [...toStores, ...proxies.receivers]) await proxy.set('pass')
  for (const process of [...receivers, ...workers]) process.thaw()
  for (const process of receivers) process.setClockRight()
}
