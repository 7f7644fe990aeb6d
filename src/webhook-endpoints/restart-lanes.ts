import { AT_ONCE } from '../db/at-once.ts'
import { nothing, type Statement } from '../db/statement.ts'

/**
 * Makes all lanes of an endpoint due, those that are held too. A worker that is posting their events finds that it has lost
 * them; what it was posting is posted again, as the endpoint is now.
 */
export function restartLanes(orgId: string, endpointId: string): Statement<void> {
  return {
    name: 'restart-webhook-lanes',
    text: `update webhook_lanes set lease_id = null, due_at = ${AT_ONCE}, held_at = null, failures = 0, rejections = 0,
        failing_since = null
      where org_id = $1 and endpoint_id = $2`,
    values: [orgId, endpointId],
    read: nothing,
  }
}
