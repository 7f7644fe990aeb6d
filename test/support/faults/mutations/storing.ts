import { DROP_KEYS_OF_MONTHS } from '../../ledger.ts'
import type { Edit } from './mutant.ts'
import type { Mutation } from './mutation.ts'
import { jobsLost, ordinaryLoad, workerDies } from './scenarios.ts'
import { ghostOfTheMonthBefore } from './storing-scenarios.ts'

const STORE_AGAIN: Edit = {
  file: 'src/routing/plan.js',
  from: 'const seen = state.messages.get(key);',
  to: 'const seen = undefined;',
}

/**
 * Guards of messages, replies and deliveries: each exists once, and none is forgotten. Where a constraint stands
 * behind the code, both are taken away together: without the code alone, the constraint still prevents the harm.
 */
export const STORING: Mutation[] = [
  {
    guard: 'a message that is stored is not routed again',
    edits: [STORE_AGAIN],
    scenario: ordinaryLoad,
    oddities: { repeat: 0.2 },
    violates: 'inboxIsEmpty',
  },
  {
    guard: 'the same, and the primary keys of the months of messages',
    edits: [STORE_AGAIN],
    sql: [DROP_KEYS_OF_MONTHS],
    scenario: ordinaryLoad,
    oddities: { repeat: 0.2 },
    violates: 'storedOnce',
  },
  {
    guard: 'a message is looked for in the months beside its own',
    edits: [
      {
        file: 'src/rules/ledger-months.js',
        from: 'const REDELIVERED_DAYS = 7',
        to: 'const REDELIVERED_DAYS = 0',
      },
    ],
    scenario: ghostOfTheMonthBefore,
    violates: 'storedOnce',
  },
  {
    guard: 'a delivery leaves the inbox with the commit that routes it',
    edits: [
      {
        file: 'src/routing/route-batch.js',
        from: 'const people = await withoutErased(tx, await readPeople(tx, extractions), secretsKey);',
        to: `await send(tx, endDeliveries(extractions.map((e) => ({ id: e.deliveryId, end: 'routed' }))));
          await tx.$client.query('commit');
          await tx.$client.query('begin');
          const people = await withoutErased(tx, await readPeople(tx, extractions), secretsKey);`,
      },
    ],
    scenario: workerDies,
    violates: 'acknowledgedIsKept',
  },
  {
    guard: 'an item that cannot be read does not hide the items behind it',
    edits: [
      {
        file: 'src/webhook/extract.js',
        from: `attempt(out.problems, \`\${name}[\${i}]\`, () => read(item));`,
        to: 'read(item);',
      },
    ],
    scenario: ordinaryLoad,
    oddities: { poison: 0.4 },
    violates: 'acknowledgedIsKept',
  },
  {
    guard: 'an item that the database refuses is undone by itself',
    edits: [
      {
        file: 'src/routing/route-deliveries.js',
        from: 'parts.push(await inSavepoint(tx, () => route(item)));',
        to: 'parts.push(await route(item));',
      },
    ],
    scenario: ordinaryLoad,
    oddities: { poison: 0.4 },
    violates: 'inboxIsEmpty',
  },
  {
    guard: 'a delivery whose job was lost is found in the inbox',
    edits: [
      {
        file: 'workers/maintenance.js',
        from: "...(await requeueStranded(db, producer.enqueueDeliveries, () => producer.waiting('deliveries'))),",
        to: '',
      },
    ],
    scenario: jobsLost,
    violates: 'inboxIsEmpty',
  },
  {
    guard: 'a message gets one auto-reply: by the stored messages, and by the index of the outbox',
    edits: [
      STORE_AGAIN,
      {
        file: 'src/routing/insert-messages.js',
        from: 'returning org_id, wamid, customer_id, direction',
        to: 'on conflict do nothing returning org_id, wamid, customer_id, direction',
      },
    ],
    sql: ['drop index outbox_one_auto_reply'],
    scenario: ordinaryLoad,
    oddities: { returner: 0.5, repeat: 0.3 },
    violates: 'replyOnce',
  },
  {
    guard: 'real content replaces its ghost, never the reverse',
    edits: [
      {
        file: 'src/routing/plan.js',
        from: 'isGhost(seen.type) && !isGhost(message.type)',
        to: '!isGhost(seen.type) && isGhost(message.type)',
      },
      {
        file: 'src/routing/insert-messages.js',
        from: 'and m.type in (',
        to: 'and m.type not in (',
      },
    ],
    scenario: ordinaryLoad,
    oddities: { ghost: 0.4 },
    violates: 'contentReplacesGhost',
  },
]
