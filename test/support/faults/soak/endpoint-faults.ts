import type { ServerResponse } from 'node:http'
import { type EventReply, takesEvent } from '../lab/event-receiver.ts'
import type { Lab } from '../lab/lab.ts'
import { type Fault, timedFault } from './fault.ts'

const SLOW_MS = 300
const answers = (res: ServerResponse, status: number, headers = {}) =>
  void res.writeHead(status, headers).end()

/** Refuses three of ten. */
function refusesSome(): EventReply {
  let n = 0
  return (res, take) => (n++ % 10 < 3 ? answers(res, 503) : takesEvent(res, take))
}

/** Ways of a receiver of webhook endpoints to fail. */
const FAILURES: [name: string, reply: () => EventReply][] = [
  ['slow', () => (res, take) => void setTimeout(() => takesEvent(res, take), SLOW_MS)],
  ['refuses 30 %', refusesSome],
  ['429', () => (res) => answers(res, 429, { 'retry-after': '1' })],
  ['hangs', () => () => {}],
  [
    'takes, and its answer is lost',
    () => (res, take) => {
      take()
      res.socket?.resetAndDestroy()
    },
  ],
]

/** Faults of the receivers of webhook endpoints; none where the lab has no endpoints. */
export function endpointFaults({ endpoints }: Pick<Lab, 'endpoints'>, longestMs: number): Fault[] {
  if (endpoints.length === 0) return []
  const failing = FAILURES.map(([name, reply]) =>
    timedFault(longestMs, {
      kind: `endpoint: ${name}`,
      target: 'endpoints',
      lingers: true,
      begin: (lab) => setAll(lab, reply()),
      end: (lab) => setAll(lab, takesEvent),
    }),
  )
  const killed = timedFault(longestMs, {
    kind: 'endpoint: killed',
    target: 'endpoints',
    lingers: true,
    begin: (lab) => Promise.all(lab.endpoints.map(({ receiver }) => receiver.kill())),
    end: (lab) => Promise.all(lab.endpoints.map(({ receiver }) => receiver.start())),
  })
  return [...failing, killed]
}

/** Lets the receivers of all endpoints take everything again. */
export async function healEndpoints(lab: Pick<Lab, 'endpoints'>): Promise<void> {
  setAll(lab, takesEvent)
  for (const { receiver } of lab.endpoints) await receiver.start()
}

function setAll({ endpoints }: Pick<Lab, 'endpoints'>, reply: EventReply): void {
  for (const { receiver } of endpoints) receiver.set(reply)
}
