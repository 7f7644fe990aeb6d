import { z } from 'zod'
import { decodeCursor } from '../event-feed/cursor.ts'
import { instant } from '../input-fields.ts'
import { shownEndpoint } from '../webhook-endpoints/schemas.ts'
import { KEPT_ATTEMPTS } from './attempt-log.ts'

/** An endpoint, and how far it is. */
export const WebhookEndpointStandingDto = z
  .strictObject({
    ...shownEndpoint,
    position: z
      .string()
      .meta({ description: 'A cursor of the event log; all events up to there were posted.' }),
    lag_events: z.int().meta({ description: 'Events that are still to be posted, counted up to 10,000.' }),
    lag_seconds: z.number().meta({ description: 'How long ago the oldest of them happened.' }),
    held_lanes: z.int().meta({ description: 'Lanes that wait because an event was rejected.' }),
    skipped_events: z.int().meta({ description: 'Events that were rejected and skipped.' }),
  })
  .meta({ id: 'WebhookEndpointStandingDto' })

/** A request to an endpoint. */
export const WebhookAttemptDto = z
  .strictObject({
    event_id: z.string(),
    type: z.string(),
    at: instant,
    outcome: z.enum(['delivered', 'rejected', 'failed', 'gone']),
    status: z.int().nullable().meta({ description: 'null: there was no answer' }),
    error: z.string().nullable().meta({ description: 'Why there was no answer.' }),
    duration_ms: z.int(),
    answer: z.string().nullable().meta({ description: 'The beginning of the answer.' }),
  })
  .meta({ id: 'WebhookAttemptDto' })

/** The last requests to an endpoint, the newest first. */
export const WebhookAttemptListDto = z
  .strictObject({ attempts: z.array(WebhookAttemptDto) })
  .meta({ id: 'WebhookAttemptListDto' })

/** How many requests to list. */
export const attemptQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(KEPT_ATTEMPTS).default(100),
})

const cursor = z.string().transform((value, ctx) => {
  const decoded = decodeCursor(value)
  if (decoded) return decoded
  ctx.addIssue({ code: 'custom', message: 'must be a cursor of the event log' })
  return z.NEVER
})
const time = instant.transform((value) => new Date(value))

/** What to post once more: all that happened behind a cursor, or the events of a period. */
export const ReplayReqDto = z
  .strictObject({
    after: cursor.optional().meta({ type: 'string' }),
    from: time.optional().meta({ type: 'string', format: 'date-time' }),
    to: time.optional().meta({ type: 'string', format: 'date-time' }),
  })
  .refine(({ after, from, to }) => (after ? !from && !to : from && to && from < to), {
    error: 'needs either after, or from and a later to',
  })
  .meta({ id: 'WebhookReplayReqDto' })
