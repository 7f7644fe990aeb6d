import type { z } from 'zod'
import type { AttemptRow } from './attempt-log.ts'
import type { WebhookAttemptDto } from './schemas.ts'

type Maybe<T> = T | null | undefined

/** A request that ended, or its row. */
type Ended = Pick<AttemptRow, 'eventId' | 'type' | 'at' | 'outcome' | 'durationMs'> & {
  status: Maybe<number>
  error: Maybe<string>
  answer: Maybe<string>
}

/** A request as the API shows it. */
export function presentAttempt(attempt: Ended): z.input<typeof WebhookAttemptDto> {
  const { eventId, type, at, outcome, durationMs } = attempt
  return {
    ...{ event_id: eventId, type, at: at.toISOString(), outcome, duration_ms: durationMs },
    status: attempt.status ?? null,
    error: attempt.error ?? null,
    answer: attempt.answer ?? null,
  }
}
