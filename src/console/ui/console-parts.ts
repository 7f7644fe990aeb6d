import type { Queue } from 'bullmq'
import type { Db } from '../../db/client.ts'
import type { Check } from '../../doctor/check.ts'
import type { Installation } from '../../installation.ts'
import type { Logger } from '../../logger.ts'

export type ConsoleParts = {
  db: Db
  /** The queues that exist at the time of the call. */
  queues: () => Queue[]
  /** Enqueues jobs for deliveries; false when the queue may not have them. Has a deadline and never rejects. */
  enqueue: (ids: number[]) => Promise<boolean>
  /** Has aborted when the process ends: what it does in the background stops. */
  ending: AbortSignal
  /** For the webhook endpoints of orgs. */
  installation: Installation
  /** Looks at the installation, and asks Meta about an org. Never rejects. */
  examine: (orgId: string | undefined) => Promise<Check[]>
  log: Logger
}
