import { lateCommit, yesterdaysEvents } from './event-log-scenarios.ts'
import type { Mutation } from './mutation.ts'

/** Guards of the event log: its readers miss nothing, and it is kept as long as it is promised. */
export const EVENT_LOG: Mutation[] = [
  {
    guard: 'an event that commits late is not skipped',
    edits: [
      {
        file: 'src/event-log/position.js',
        from: 'pg_snapshot_xmin(pg_current_snapshot())',
        to: 'pg_snapshot_xmax(pg_current_snapshot())',
      },
    ],
    scenario: lateCommit,
    violates: 'logSkipsNothing',
  },
  {
    guard: 'partitions of the event log are kept as long as their events',
    edits: [
      {
        file: 'src/event-feed/keep-partitions.js',
        from: 'now.getTime() / DAY_MS - keptDays',
        to: 'now.getTime() / DAY_MS',
      },
    ],
    scenario: yesterdaysEvents,
    violates: 'logIsKept',
  },
]
