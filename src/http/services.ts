import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import type { Installation } from '../installation.ts'
import type { Logger } from '../logger.ts'
import type { Authenticate } from './authenticate.ts'
import type { LimitOnce } from './rate-limit.ts'
import type { RequestLimits } from './request-limits.ts'

/** What serving a request needs. */
export type ApiServices = {
  db: Db
  authenticate: Authenticate
  installation: Installation
  limitOnce: LimitOnce
  countRequest: RequestLimits['count']
  /** Enqueues jobs for outbox rows that are committed. */
  announceSends: (rows: OutboxRow[]) => void
  /** Has what happened in these orgs posted to their endpoints. */
  announceEvents: (orgIds: string[]) => void
  /** This machine's time in milliseconds; it decides nothing, but must not differ much from the database's. */
  machineTime: () => number
  log: Logger
}
