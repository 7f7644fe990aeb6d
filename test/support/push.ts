import type { Database, Db } from '../../src/db/client.ts'
import { run } from '../../src/db/statement.ts'
import type { Attempt } from '../../src/event-push/lane-steps.ts'
import { createEventClient } from '../../src/event-push/post-event.ts'
import { pushLane } from '../../src/event-push/push-lane.ts'
import { recordProgress } from '../../src/event-push/record-progress.ts'
import { type Taken, type TakenLane, takeLanes } from '../../src/event-push/take-lanes.ts'
import type { EndpointKey } from '../../src/event-push/target.ts'
import { NO_TRACES } from '../../src/tracing/tracing.ts'
import { createEndpoint } from '../../src/webhook-endpoints/create-endpoint.ts'
import type { EndpointSettings } from '../../src/webhook-endpoints/present.ts'
import { createRecorder } from '../../workers/webhooks/recorder.ts'
import { atEndOf } from './at-end.ts'
import { untilReadable } from './event-log.ts'
import { SECRETS_KEY, type TestOrg } from './org.ts'
import type { WebhookReceiver } from './webhook-receiver.ts'

const secretsKey = Buffer.from(SECRETS_KEY, 'base64')

/** An endpoint of the org that leads to a receiver, which learns the secret. */
export async function subscribe(
  db: Db,
  org: TestOrg,
  receiver: WebhookReceiver,
  settings: Partial<EndpointSettings> = {},
): Promise<EndpointKey> {
  const defaults = { types: null, description: null, enabled: true, include_content: true } as const
  const { endpoint, secret } = await createEndpoint(db, {
    orgId: org.id,
    settings: { url: receiver.url, ...defaults, on_rejection: 'skip', ...settings },
    actor: 'test',
    installation: { secretsKey, allowPrivateWebhooks: true },
  })
  receiver.secret = secret
  return { orgId: org.id, endpointId: endpoint.id }
}

export type Pusher = {
  take(key: EndpointKey, slots?: number): Promise<TakenLane[]>
  push(lane: TakenLane): Promise<boolean>
  /** Posts all that is due, as a worker does; gives how many requests it made. */
  pushAll(key: EndpointKey): Promise<number>
  attempts: Attempt[]
  disabled: string[]
}

/** A worker that posts when a test calls it. */
export function createPusher(db: Database['db'], deadlineMs = 1_000): Pusher {
  const client = createEventClient({ allowPrivate: true, deadlineMs })
  atEndOf('file', client.close)
  const attempts: Attempt[] = []
  const disabled: string[] = []
  const take = async (key: EndpointKey, slots = 32) =>
    (await takeLanes(db, [key], { slots, secretsKey }))[0]!.lanes
  const push = (lane: TakenLane) =>
    pushLane(
      {
        ...{ db, client, tracing: NO_TRACES, userAgent: 'Usher/test', isEnding: () => false },
        mayPost: async () => {},
        record: createRecorder((all) => run(db, recordProgress(all)), 0),
        onAttempt: (attempt) => void attempts.push(attempt),
        onDisabled: (_lane, reason) => void disabled.push(reason),
      },
      lane,
    )
  return {
    ...{ attempts, disabled, take, push },
    async pushAll(key) {
      await untilReadable(db)
      const before = attempts.length
      for (;;) {
        const [{ lanes, isMore }] = (await takeLanes(db, [key], { slots: 32, secretsKey })) as [Taken]
        const more = await Promise.all(lanes.map(push))
        if (!isMore && !more.includes(true)) return attempts.length - before
      }
    },
  }
}

/** Lets the time pass until all that waits is due, and all leases have ended. */
export async function passTime({ $client }: Db): Promise<void> {
  await $client.query('update webhook_lanes set due_at = now() where held_at is null')
  await $client.query('update webhook_endpoints set paused_until = null')
}

/** The lanes of an endpoint that are not at its head. */
export async function lanesOf({ $client }: Db, { endpointId }: EndpointKey) {
  const text = `select l.*, (extract(epoch from due_at - now()) * 1000)::float8 as wait_ms from webhook_lanes l
    where endpoint_id = $1 order by lane`
  return (await $client.query(text, [endpointId])).rows
}
