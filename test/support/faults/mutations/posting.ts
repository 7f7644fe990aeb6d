import type { Mutation } from './mutation.ts'
import { everyOtherIsSlow, requestsCut } from './posting-scenarios.ts'

/** Guards of webhook endpoints: each event at least once, those of a customer in order. */
export const POSTING: Mutation[] = [
  {
    guard: 'an event is delivered only when its receiver has answered',
    edits: [
      {
        file: 'src/event-push/decide.js',
        from: "if (status === undefined)\n        return 'failed'",
        to: "if (status === undefined)\n        return 'delivered'",
      },
    ],
    scenario: requestsCut,
    hasEndpoints: true,
    violates: 'postedIsComplete',
  },
  {
    guard: 'the events of a customer are in one lane',
    edits: [
      {
        file: 'src/event-push/lane-page-sql.js',
        from: 'coalesce(l.customer_id::text, ',
        to: 'coalesce(l.seq::text, ',
      },
    ],
    scenario: everyOtherIsSlow,
    oddities: { returner: 0, burst: 0 },
    hasEndpoints: true,
    violates: 'postedInOrder',
  },
]
