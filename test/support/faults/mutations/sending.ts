import { randomBytes } from 'node:crypto'
import { type Mutation, ONLY_RETURNERS } from './mutation.ts'
import { answersLost } from './scenarios.ts'
import {
  acceptedInError,
  anotherKey,
  firstTriesRefused,
  graphUnreachable,
  WRONG_TOKEN,
} from './sending-scenarios.ts'

/** Guards of what leaves: in order, once, known to have left, and stopped only by Meta. */
export const SENDING: Mutation[] = [
  {
    guard: 'the oldest message of a pair is next',
    edits: [
      {
        file: 'src/outbound/claim-sends.js',
        from: 'order by b.kind desc, b.position limit 1',
        to: 'order by b.kind desc, b.position desc limit 1',
      },
    ],
    scenario: firstTriesRefused,
    oddities: ONLY_RETURNERS,
    violates: 'sentInOrder',
  },
  {
    guard: 'a send with unknown outcome is not sent again',
    edits: [
      {
        file: 'src/outbound/send-errors.js',
        from: 'return hasLeft',
        to: 'return hasLeft && code === undefined',
      },
    ],
    scenario: answersLost,
    oddities: ONLY_RETURNERS,
    // A status would end the send before it is sent again.
    statuses: 0,
    violates: 'acceptedOnce',
  },
  {
    guard: 'a status ends a send that is queued for another try',
    edits: [
      {
        file: 'src/routing/statuses.js',
        from: "and o.state <> 'sent'",
        to: "and o.state in ('sending', 'unknown')",
      },
    ],
    scenario: acceptedInError,
    oddities: ONLY_RETURNERS,
    violates: 'acceptedOnce',
  },
  {
    guard: 'what fails before the connection is open was not sent',
    edits: [{ file: 'src/outbound/post-once.js', from: 'let hasLeft = false', to: 'let hasLeft = true' }],
    scenario: graphUnreachable,
    oddities: ONLY_RETURNERS,
    violates: 'unknownHasLeft',
  },
  {
    guard: 'a process with another key takes no sends',
    edits: [
      {
        file: 'src/outbound/access-token.js',
        from: 'catch {\n        return undefined;',
        to: `catch {\n        return '${WRONG_TOKEN}';`,
      },
    ],
    workerEnv: [{}, { SECRETS_KEY: randomBytes(32).toString('base64') }],
    scenario: anotherKey,
    oddities: ONLY_RETURNERS,
    violates: 'stoppedByMeta',
  },
]
