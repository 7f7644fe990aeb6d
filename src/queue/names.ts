/**
 * The queues and what their jobs carry: ids of rows and nothing else, so that losing a job loses no message.
 * Schedulers have a queue of their own, so that work never waits for what is due later.
 */
export type Jobs = {
  /** Ids of `inbox` rows to route, in one batch; a suspect of killing its worker goes alone. */
  deliveries: { ids: number[]; suspect?: true }
  /** One `outbox` row to send. */
  outbound: { org: string; id: string }
  /** Made by the schedulers only; the job's name says what to do. */
  maintenance: Record<string, never>
}

export type QueueName = keyof Jobs

/** Name of a job that any queue may carry: its worker only records that it came through. It carries nothing. */
export const CANARY = 'canary'

export const QUEUE_NAMES = ['deliveries', 'outbound', 'maintenance'] as const satisfies QueueName[]
