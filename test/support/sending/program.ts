import fc from 'fast-check'

/**
 * Random programs for the model test of sending: people and auto-replies queue messages for five pairs, two workers claim
 * and send them and are killed, people send failed ones again, the stand-in Graph API has a fate ready for each request, statuses come at any time, and
 * time passes. `playProgram` plays one.
 */

export const PAIRS = 5
export const WORKERS = 2

/** What becomes of one request. Only `accepts` and what is named after it make the stand-in take the message. */
export const FATES = [
  'accepts',
  'accepts late',
  'accepts and the answer is lost',
  'accepts and answers 502',
  'accepts after its statuses',
  'accepts but answers 131000 after its status',
  'accepts but answers 131000 before its status',
  'accepts and the worker dies',
  'the worker dies before the request leaves',
  'busy pair',
  'busy number',
  'busy late',
  'down',
  'refuses',
  'refuses late',
  'refuses the token',
  'cannot be reached',
  'resets the connection',
] as const
export type Fate = (typeof FATES)[number]

export const STATUSES = ['sent', 'delivered', 'read', 'failed'] as const
export type Status = (typeof STATUSES)[number]

export type Step =
  | { do: 'send'; pair: number; kind: 'message' | 'auto_reply'; times: number }
  | { do: 'look'; worker: number; slots: number }
  | { do: 'answer'; which: number }
  /** `named`: with the id of the outbox row. */
  | { do: 'status'; which: number; status: Status; named: boolean; times: number }
  /** A person sends a message again; `confirm`: also one whose outcome is unknown. */
  | { do: 'retry'; which: number; confirm: boolean }
  | { do: 'kill'; worker: number }
  | { do: 'wait'; seconds: number }
  | { do: 'sweep' }
  | { do: 'provision' }
  | { do: 'together'; steps: Step[] }

const nat = fc.nat(1_000)
const worker = fc.nat(WORKERS - 1)
const send = fc.record({
  do: fc.constant('send' as const),
  pair: fc.nat(PAIRS - 1),
  kind: fc.constantFrom('message' as const, 'message' as const, 'auto_reply' as const),
  times: fc.constantFrom(1, 1, 2, 4),
})
const look = fc.record({ do: fc.constant('look' as const), worker, slots: fc.integer({ min: 1, max: 6 }) })
const status = fc.record({
  ...{ do: fc.constant('status' as const), which: nat, status: fc.constantFrom(...STATUSES) },
  ...{ named: fc.boolean(), times: fc.integer({ min: 1, max: 2 }) },
})
const answer = fc.record({ do: fc.constant('answer' as const), which: nat })
const retry = fc.record({ do: fc.constant('retry' as const), which: nat, confirm: fc.boolean() })
const sweep = fc.constant({ do: 'sweep' as const })
/** Steps that may run at the same time. */
const concurrent: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: send },
  { weight: 6, arbitrary: look },
  { weight: 2, arbitrary: answer },
  { weight: 2, arbitrary: status },
  { weight: 2, arbitrary: retry },
  { weight: 1, arbitrary: sweep },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), worker }) },
)
const seconds = fc.constantFrom(3, 20, 61, 130)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: concurrent },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('together' as const),
      steps: fc.array(concurrent, { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds }) },
  { weight: 1, arbitrary: fc.constant({ do: 'provision' as const }) },
)

export const program = fc.record({
  /** The fates of the requests, in the order in which they are made; those after them are accepted. */
  fates: fc.array(fc.oneof(fc.constant<Fate>('accepts'), fc.constantFrom<Fate>(...FATES)), { maxLength: 40 }),
  steps: fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
})
export type Program = typeof program extends fc.Arbitrary<infer T> ? T : never
