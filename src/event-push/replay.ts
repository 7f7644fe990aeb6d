import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { nothing, run, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { Cursor } from '../event-feed/cursor.ts'
import { listEvents } from '../event-feed/list-events.ts'
import { lockEndpoint } from '../webhook-endpoints/read-endpoints.ts'
import { REPLAY_LANE } from './plan-lanes.ts'

type Replay = { orgId: string; id: string; actor: string }

/**
 * Lets an endpoint begin again behind a cursor: everything that happened since is posted, once more where it was before.
 * @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND, INVALID_INPUT for a cursor of another org, EVENTS_ARE_GONE
 */
export async function replayAfter(db: Db, { orgId, id, actor }: Replay, after: Cursor): Promise<void> {
  await inRetriedTransaction(db, async (tx) => {
    await lockEndpoint(tx, orgId, id)
    await listEvents(tx, {
      ...{ orgId, after, types: undefined, limit: 1 },
      waitSeconds: 0,
      includeContent: false,
    })
    const key = [orgId, id]
    await send(tx, [
      {
        name: 'rewind-webhook-head',
        text: 'update webhook_endpoints set position = $3, seq = $4, at = $5 where org_id = $1 and id = $2',
        values: [...key, after.position, after.seq, after.at],
        read: nothing,
      },
      {
        name: 'forget-webhook-lanes',
        text: 'delete from webhook_lanes where org_id = $1 and endpoint_id = $2',
        values: key,
        read: nothing,
      },
    ])
    await recordReplay(tx, { orgId, id, actor }, { after: after.at })
  })
}

/**
 * Posts the events of a period once more, one after another in the order of the log, beside what happens meanwhile.
 * @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND, or REPLAY_IS_RUNNING while an earlier one goes on
 */
export async function replayPeriod(
  db: Db,
  { orgId, id, actor }: Replay,
  { from, to }: { from: Date; to: Date },
): Promise<void> {
  await inRetriedTransaction(db, async (tx) => {
    await lockEndpoint(tx, orgId, id)
    const isStarted = await run(tx, {
      name: 'start-webhook-replay',
      text: `insert into webhook_lanes (org_id, endpoint_id, lane, position, seq, at, due_at, ends_at)
        values ($1, $2, ${REPLAY_LANE}, 0, 0, $3, now(), least($4, now())) on conflict do nothing`,
      values: [orgId, id, from, to],
      read: (_rows: never[], count: number) => count === 1,
    })
    if (!isStarted) throw new ApiError('REPLAY_IS_RUNNING')
    await recordReplay(tx, { orgId, id, actor }, { from, to })
  })
}

function recordReplay(tx: Db, { orgId, id, actor }: Replay, period: object): Promise<void> {
  const audit = { orgId, kind: 'webhook_endpoint.replayed', actor, reason: ASKED_FOR } as const
  return recordEvents(tx, [{ ...audit, after: { id, ...period } }])
}
