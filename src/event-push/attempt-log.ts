import { columns, int, text, timestamptz, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { judge, type Verdict } from './decide.ts'
import type { Posted } from './post-event.ts'
import type { EndpointKey } from './target.ts'

/** So many requests to each endpoint are kept. */
export const KEPT_ATTEMPTS = 500

/** A request to an endpoint. `error`: why there was no answer. */
export type AttemptRow = EndpointKey & {
  eventId: string
  type: string
  at: Date
  outcome: Verdict
  status: number | undefined
  error: string | undefined
  durationMs: number
  answer: string | undefined
}

/** A request that ended, as it is kept. */
export function toAttempt(
  about: Pick<AttemptRow, 'orgId' | 'endpointId' | 'eventId' | 'type' | 'at'>,
  posted: Posted,
): AttemptRow {
  const hasAnswer = posted.status !== undefined
  return {
    ...about,
    outcome: judge(posted),
    status: posted.status,
    error: hasAnswer ? undefined : posted.error,
    durationMs: posted.ms,
    answer: hasAnswer ? posted.text : undefined,
  }
}

const ATTEMPTS = columns<AttemptRow>({
  org_id: text((a) => a.orgId),
  endpoint_id: uuid((a) => a.endpointId),
  event_id: text((a) => a.eventId),
  type: text((a) => a.type),
  at: timestamptz((a) => a.at),
  outcome: text((a) => a.outcome),
  status: int((a) => a.status),
  error: text((a) => a.error),
  duration_ms: int((a) => a.durationMs),
  answer: text((a) => a.answer),
})

/** Keeps requests, in their order; those to an endpoint that was deleted meanwhile are left out. */
export function keepAttempts(attempts: AttemptRow[]): Statement<void> {
  return over(ATTEMPTS, attempts, {
    name: 'keep-webhook-attempts',
    text: `insert into webhook_attempts (${ATTEMPTS.names})
      select ${ATTEMPTS.names.replace(/\w+/g, 'a.$&')} from ${ATTEMPTS.as('a', { ordinality: 'nth' })}
      join webhook_endpoints e on e.org_id = a.org_id and e.id = a.endpoint_id order by a.nth`,
    read: nothing,
  })
}

const ENDPOINTS = columns<EndpointKey>({ org_id: text((e) => e.orgId), id: uuid((e) => e.endpointId) })

/** Deletes all but the latest requests of each endpoint. */
export function dropOldAttempts(endpoints: EndpointKey[]): Statement<void> {
  return over(ENDPOINTS, endpoints, {
    name: 'drop-webhook-attempts',
    text: `delete from webhook_attempts a using (
        select e.org_id, e.id, (
          select o.id from webhook_attempts o where o.org_id = e.org_id and o.endpoint_id = e.id
          order by o.id desc offset ${KEPT_ATTEMPTS} limit 1) as last
        from ${ENDPOINTS.as('e')}) old
      where a.org_id = old.org_id and a.endpoint_id = old.id and a.id <= old.last`,
    read: nothing,
  })
}
