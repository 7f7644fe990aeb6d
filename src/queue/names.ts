/**
 * The queues and the data of their jobs: ids of rows and nothing else, so that a lost job loses no message. Schedules have
 * a queue of their own: on PostgreSQL, a worker that finds only delayed jobs sleeps until the first of them is due.
 * For the same reason, nothing delayed may be added to `deliveries`.
 */
export type Jobs = {
  /** Ids of `inbox` rows to route in one batch. A row that is suspected of killing its worker has a job of its own. */
  deliveries: { ids: number[]; suspect?: true }
  /** Wakes the senders of one process. What is to be sent is in the outbox. */
  outbound: Record<string, never>
  /** Ids of orgs in which something happened. What is to be posted to their endpoints is in the event log. */
  webhooks: { orgs: string[] }
  /** Created by the schedules. The name of the job is the name of the task. */
  maintenance: Record<string, never>
}

export type QueueName = keyof Jobs

/** Name of the canary jobs, which any queue may carry. They have no data; the worker only records that one arrived. */
export const CANARY = 'canary'

export const QUEUE_NAMES = [
  'deliveries',
  'outbound',
  'webhooks',
  'maintenance',
] as const satisfies QueueName[]
