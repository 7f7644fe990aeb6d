import { type Mutation, ONLY_BURSTS } from './mutation.ts'
import { ordinaryLoad, sameMoment } from './scenarios.ts'

/** Guards of the choice of a chatroom, each with the constraint that stands behind it. */
export const ROUTING: Mutation[] = [
  {
    guard: 'customers are locked before their chatrooms are read',
    edits: [{ file: 'src/identity/lock-customers.js', from: 'for update of c`', to: '`' }],
    scenario: sameMoment,
    oddities: ONLY_BURSTS,
    // Each message is a batch of its own, so several customers have two batches at once.
    workerEnv: [{ WORKER_CONCURRENCY: '32' }],
    // Two batches that wake a chatroom, or two that write the time of its last message.
    violates: ['stateFollows', 'latestInbound'],
  },
  {
    guard: 'the active chatroom is preferred, and the index of one active chatroom',
    edits: [
      {
        file: 'src/rules/latest.js',
        from: 'RANK[a.state] - RANK[b.state] ||',
        to: "Number(b.state === 'deactivated') - Number(a.state === 'deactivated') ||",
      },
    ],
    sql: ['drop index chatrooms_one_active'],
    scenario: ordinaryLoad,
    violates: 'oneActive',
  },
  {
    guard: 'an expired chatroom stays expired, and the trigger for it',
    edits: [
      {
        file: 'src/routing/decide.js',
        from: "if (first.state === 'expired')",
        to: 'if (first === undefined)',
      },
      {
        file: 'src/routing/into-room.js',
        from: 'deactivatedAt: null,',
        to: 'deactivatedAt: null, expiredAt: null,',
      },
    ],
    sql: ['drop trigger chatrooms_expired_is_final on chatrooms'],
    scenario: ordinaryLoad,
    oddities: { returner: 0.5 },
    violates: 'expiredIsFinal',
  },
  {
    guard: 'a message goes to a chatroom at the number it was written to, and the foreign key for it',
    edits: [{ file: 'src/chatrooms/read-rooms.js', from: 'and r.waba_phone_id = k.phone_id', to: '' }],
    sql: ['alter table messages drop constraint messages_land_with_their_own_sender_and_number'],
    scenario: ordinaryLoad,
    violates: 'ownPlace',
  },
]
