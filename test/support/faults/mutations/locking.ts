import { customersInCommon, longLock, onePersonIsLocked, strangersAtOnce } from './lock-scenarios.ts'
import type { Mutation } from './mutation.ts'

/** Guards of the locks, and against those of others. */
export const LOCKING: Mutation[] = [
  {
    guard: 'a fault of the database is no try of a suspect',
    edits: [
      {
        file: 'workers/deliveries/suspects.js',
        from: 'if (isPassingFault(error))\n                await takeBack(tries);',
        to: '',
      },
    ],
    scenario: longLock,
    violates: 'onlyUnreadableIsDead',
  },
  {
    guard: 'a new name locks the names it concerns, not those of everybody',
    edits: [
      {
        file: 'src/identity/lock-names.js',
        from: 'hashtextextended(n.name, 0)',
        to: '0',
      },
    ],
    scenario: onePersonIsLocked,
    violates: 'othersDoNotWait',
  },
  {
    guard: 'names are locked before it is decided whose they are',
    edits: [
      {
        file: 'src/identity/lock-names.js',
        from: 'select pg_advisory_xact_lock(',
        to: 'select (',
      },
    ],
    scenario: strangersAtOnce,
    violates: 'oneCustomerPerSender',
  },
  {
    guard: 'customers are locked in one order',
    edits: [
      {
        file: 'src/identity/lock-customers.js',
        from: 'order by c.org_id collate "C", c.id for update of c`',
        to: 'order by random() for update of c`',
      },
    ],
    scenario: customersInCommon,
    oddities: { burst: 0, returner: 0 },
    violates: 'noDeadlock',
  },
]
