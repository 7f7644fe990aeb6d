import { type Mutation, ONLY_RETURNERS } from './mutation.ts'
import { databaseCrashes, databaseUnreachable, ordinaryLoad } from './scenarios.ts'

/** Guards of the receiver. */
export const RECEIVING: Mutation[] = [
  {
    guard: 'the receiver answers after the commit',
    edits: [
      {
        file: 'src/receiver/receive.js',
        from: 'await save(body);',
        to: 'save(body).catch(() => undefined);',
      },
    ],
    scenario: databaseUnreachable,
    violates: 'acknowledgedIsKept',
  },
  {
    guard: 'a single delivery is answered when it is on the disk',
    edits: [{ file: 'src/inbox/insert.js', from: '{ ...FLUSH, timeoutMs },', to: '' }],
    scenario: databaseCrashes,
    oddities: ONLY_RETURNERS,
    violates: 'acknowledgedIsKept',
  },
  {
    guard: 'signatures are checked',
    edits: [
      {
        file: 'src/receiver/receive.js',
        from: 'if (!signatureMatches(',
        to: 'if (false && !signatureMatches(',
      },
    ],
    scenario: ordinaryLoad,
    oddities: { forged: 0.2 },
    violates: 'forgedIsRefused',
  },
  {
    guard: 'no message text is logged',
    edits: [
      {
        file: 'src/receiver/receive.js',
        from: 'await save(body);',
        to: 'await save(body); parts.log.info({ received: body.toString() }, "stored");',
      },
    ],
    scenario: ordinaryLoad,
    violates: 'noSecretInLogs',
  },
]
