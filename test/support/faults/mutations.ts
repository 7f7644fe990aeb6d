import type { Oddities } from './content.ts'
import type { Edit } from './mutant.ts'
import {
  answersLost,
  atTheSameMoment,
  ordinary,
  queueLost,
  type Scenario,
  storeAway,
  storeCrashes,
  workerDies,
} from './scenarios.ts'

/** One guard taken away, what puts it to the test, and the invariant that must be found violated. */
export type Mutation = {
  guard: string
  edits: Edit[]
  /** Walls of the database taken down. */
  sql?: string[]
  scenario: Scenario
  /** Part of the violated rule's name. */
  noticed: string
  oddities?: Partial<Oddities>
}

const SKIP_DEDUPE: Edit = {
  file: 'src/routing/plan.js',
  from: 'const seen = state.types.get(key);',
  to: 'const seen = undefined;',
}

const ONLY_LEAVERS: Partial<Oddities> = { gone: 1, burst: 0, ghost: 0, forged: 0, repeat: 0 }
const ONLY_BURSTS: Partial<Oddities> = { burst: 1 }

/**
 * Where two walls stand behind each other, the outer is taken down together with the inner: alone, its loss
 * changes nothing, which is what the second is for.
 */
export const MUTATIONS: Mutation[] = [
  {
    guard: 'the door answers after the commit',
    edits: [
      {
        file: 'src/receiver/receive.js',
        from: 'await save(body);',
        to: 'save(body).catch(() => undefined);',
      },
    ],
    scenario: storeAway,
    noticed: '(I1)',
  },
  {
    guard: 'a lone delivery is answered when it is on the disk',
    edits: [{ file: 'src/inbox/insert.js', from: ', client.query(flush)', to: '' }],
    scenario: storeCrashes,
    oddities: ONLY_LEAVERS,
    noticed: '(I1)',
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
    scenario: ordinary,
    oddities: { forged: 0.2 },
    noticed: '(I11)',
  },
  {
    guard: 'a message in the ledger is not routed again',
    edits: [SKIP_DEDUPE],
    scenario: ordinary,
    oddities: { repeat: 0.2 },
    noticed: 'stuck in the inbox (I10)',
  },
  {
    guard: 'that, and the primary key of messages',
    edits: [SKIP_DEDUPE],
    sql: ['alter table messages drop constraint messages_pkey cascade'],
    scenario: ordinary,
    oddities: { repeat: 0.2 },
    noticed: '(I2)',
  },
  {
    guard: 'customers are locked before their chatrooms are read',
    edits: [{ file: 'src/identity/lock-customers.js', from: 'for update of c`', to: '`' }],
    scenario: atTheSameMoment,
    oddities: ONLY_BURSTS,
    noticed: '(I5)',
  },
  {
    guard: 'the active chatroom is preferred, and the index of one active',
    edits: [
      {
        file: 'src/routing/decide.js',
        from: 'RANK[a.state] - RANK[b.state] ||',
        to: "Number(b.state === 'deactivated') - Number(a.state === 'deactivated') ||",
      },
    ],
    sql: ['drop index chatrooms_one_active'],
    scenario: ordinary,
    noticed: '(I4)',
  },
  {
    guard: 'an expired chatroom stays so, and the trigger',
    edits: [
      {
        file: 'src/routing/decide.js',
        from: "if (first.state === 'expired')",
        to: 'if (first === undefined)',
      },
      {
        file: 'src/routing/decide.js',
        from: 'deactivatedAt: null,',
        to: 'deactivatedAt: null, expiredAt: null,',
      },
    ],
    sql: ['drop trigger chatrooms_expired_is_final on chatrooms'],
    scenario: ordinary,
    oddities: { gone: 0.5 },
    noticed: 'expired is final (I5)',
  },
  {
    guard: 'only chatrooms at the number written to, and the foreign key',
    edits: [
      {
        file: 'src/routing/facts.js',
        from: 'and r.waba_phone_id = k.phone_id',
        to: '',
      },
    ],
    sql: ['alter table messages drop constraint messages_land_with_their_own_sender_and_number'],
    scenario: ordinary,
    noticed: '(I6)',
  },
  {
    guard: 'the inbox row goes with the commit that routes it',
    edits: [
      {
        file: 'src/routing/route-batch.js',
        from: 'const who = await readWho(tx, extractions);',
        to: `await settleDeliveries(tx, extractions.map((e) => ({ id: e.deliveryId, end: 'routed' })));
          await tx.$client.query('commit');
          await tx.$client.query('begin');
          const who = await readWho(tx, extractions);`,
      },
    ],
    scenario: workerDies,
    noticed: '(I1)',
  },
  {
    guard: 'the inbox is the truth: what no job knows is found',
    edits: [
      {
        file: 'workers/maintenance.js',
        from: "...(await requeueStranded(db, producer.enqueueDeliveries, () => producer.waiting('deliveries'))),",
        to: '',
      },
    ],
    scenario: queueLost,
    noticed: 'stuck in the inbox (I10)',
  },
  {
    guard: 'one auto-reply for a message: the ledger, and the index',
    edits: [
      SKIP_DEDUPE,
      {
        file: 'src/routing/apply.js',
        from: 'payload, contact, direction)`',
        to: 'payload, contact, direction) on conflict do nothing`',
      },
    ],
    sql: ['drop index outbox_one_auto_reply'],
    scenario: ordinary,
    oddities: { gone: 0.5, repeat: 0.3 },
    noticed: 'one auto-reply',
  },
  {
    guard: 'an unknown send is not sent again',
    edits: [
      {
        file: 'src/outbound/send-errors.js',
        from: 'return NEVER_SENT.test(code)',
        to: 'return code !== undefined',
      },
    ],
    scenario: answersLost,
    oddities: ONLY_LEAVERS,
    noticed: 'once at most (I7)',
  },
  {
    guard: 'real content replaces its ghost, never the reverse',
    edits: [
      {
        file: 'src/routing/plan.js',
        from: 'isGhost(seen) && !isGhost(arrival.message.type)',
        to: '!isGhost(seen) && isGhost(arrival.message.type)',
      },
      { file: 'src/routing/apply.js', from: "and m.type in ('unsupported', 'unknown')", to: '' },
    ],
    scenario: ordinary,
    oddities: { ghost: 0.4 },
    noticed: 'ghost (9)',
  },
  {
    guard: 'no message text in a log',
    edits: [
      {
        file: 'src/receiver/receive.js',
        from: 'await save(body);',
        to: 'await save(body); parts.log.info({ received: body.toString() }, "stored");',
      },
    ],
    scenario: ordinary,
    noticed: '(I13)',
  },
]
