import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { type Arrival, startEventListener } from '../event-listener/start-listener.ts'
import { createEndpoint } from '../webhook-endpoints/create-endpoint.ts'
import { deleteEndpoint } from '../webhook-endpoints/delete-endpoint.ts'
import { listEndpoints } from '../webhook-endpoints/read-endpoints.ts'

const DESCRIPTION = 'the receiver of the demo'

/** The receiver of a webhook endpoint, and what has arrived there. */
export type SampleEndpoint = {
  url: string
  /** How many events of each type were taken; those that came twice count once. */
  types: ReadonlyMap<string, number>
  /** Requests whose signature did not fit. */
  refused(): number
  /** Waits until the events of all these messages have arrived; gives whether they did in time. */
  hasMessages(wamids: string[], withinMs: number): Promise<boolean>
  stop(): void
}

/** Starts a receiver on a free port of loopback, and has the events of an org posted to it from now on. */
export async function createSampleEndpoint(
  db: Db,
  orgId: string,
  secretsKey: Buffer | undefined,
): Promise<SampleEndpoint> {
  let secret = ''
  const arrived = createRecord()
  const listener = await startEventListener({
    ...{ host: '127.0.0.1', port: 0 },
    secret: () => secret,
    onArrival: arrived.add,
  })
  await deleteFormer(db, orgId)
  const created = await createEndpoint(db, {
    orgId,
    settings: {
      ...{ url: listener.url, types: null, description: DESCRIPTION },
      ...{ enabled: true, include_content: true, on_rejection: 'skip' },
    },
    actor: 'demo',
    installation: { secretsKey, allowPrivateWebhooks: true },
  })
  secret = created.secret
  return { ...listener, ...arrived }
}

/** Nobody listens any more where an earlier run had its events posted. */
async function deleteFormer(db: Db, orgId: string): Promise<void> {
  for (const { id, description } of await listEndpoints(db, orgId)) {
    if (description === DESCRIPTION) await deleteEndpoint(db, { orgId, id, actor: 'demo' })
  }
}

function createRecord() {
  const types = new Map<string, number>()
  const messages = new Set<unknown>()
  let refused = 0
  const hasAll = (wamids: string[]) => wamids.every((wamid) => messages.has(wamid))
  return {
    types,
    refused: () => refused,
    add(arrival: Arrival): void {
      if (arrival.refused !== undefined) refused += 1
      if (arrival.refused !== undefined || arrival.isRepeated) return
      const { type, data } = arrival.event
      types.set(type, (types.get(type) ?? 0) + 1)
      if (/^message\.(received|held)$/.test(type)) messages.add(data.wamid)
    },
    async hasMessages(wamids: string[], withinMs: number): Promise<boolean> {
      for (const end = Date.now() + withinMs; !hasAll(wamids) && Date.now() < end; ) await sleep(20)
      return hasAll(wamids)
    },
  }
}
