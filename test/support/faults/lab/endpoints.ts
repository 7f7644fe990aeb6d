import type { Db } from '../../../../src/db/client.ts'
import { createEndpoint } from '../../../../src/webhook-endpoints/create-endpoint.ts'
import type { Cleanup } from './cleanup.ts'
import { type EventReceiver, startEventReceiver } from './event-receiver.ts'
import { ORGS } from './orgs.ts'

/** A webhook endpoint of an org, and its receiver. It gets the events that are logged from `position` on. */
export type LabEndpoint = { orgId: string; position: number; receiver: EventReceiver }

/** Starts a receiver for each org, and has all events of the org posted to it from now on. */
export function startEndpoints(db: Db, secretsKey: Buffer, cleanup: Cleanup): Promise<LabEndpoint[]> {
  return Promise.all(
    ORGS.map(async ({ id: orgId }) => {
      const receiver = await startEventReceiver()
      cleanup.add(() => receiver.kill())
      const { endpoint, secret } = await createEndpoint(db, {
        orgId,
        settings: {
          ...{ url: receiver.url, types: null, description: null, enabled: true },
          ...{ include_content: true, on_rejection: 'skip' },
        },
        actor: 'lab',
        installation: { secretsKey, allowPrivateWebhooks: true },
      })
      receiver.secret = secret
      return { orgId, position: endpoint.position, receiver }
    }),
  )
}
