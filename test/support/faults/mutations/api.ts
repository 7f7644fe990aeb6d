import { clocksAhead, shownThenCrashed } from './api-scenarios.ts'
import type { Mutation } from './mutation.ts'

/** Guards of the API. */
export const API: Mutation[] = [
  {
    guard: 'the clock of the database decides, and a process whose clock is wrong changes nothing',
    edits: [
      {
        file: 'src/http/open-org.js',
        from: 'return { org: found.org, now: found.now };',
        to: 'return { org: found.org, now: new Date(machineTime()) };',
      },
      {
        file: 'src/http/open-org.js',
        from: "if (endpoint.method !== 'get' && isWrongClock(skew))",
        to: 'if (skew === undefined)',
      },
    ],
    scenario: clocksAhead,
    violates: 'expiresInTime',
  },
  {
    guard: 'an answer of the API waits until the disk has what it shows',
    edits: [{ file: 'src/http/serve-endpoint.js', from: 'await awaitDurable(services.db);', to: '' }],
    scenario: shownThenCrashed,
    violates: 'shownIsKept',
  },
]
