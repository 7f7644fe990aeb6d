import { readRooms } from '../../src/chatrooms/read-rooms.ts'
import { columns, text, uuid } from '../../src/db/columns.ts'
import { nothing, over, run } from '../../src/db/statement.ts'
import { logEvents } from '../../src/event-log/log-events.ts'
import { readAliasesAtNumbers } from '../../src/identity/find-customers.ts'
import { lockCustomers } from '../../src/identity/lock-customers.ts'
import { type Identity, identityOf } from '../../src/identity/person.ts'
import { claimDeliveries } from '../../src/inbox/claim.ts'
import { readOwnNumbers } from '../../src/routing/own-numbers.ts'
import { readOwners } from '../../src/routing/owners.ts'
import type { Extra, FloorMessage } from './floor.ts'

const FOREIGN_KEY = `alter table floor_ledger add foreign key (org_id, chatroom_id, customer_id, waba_phone_id)
  references chatrooms (org_id, id, customer_id, waba_phone_id)`

const OTHER_INDEXES = `create index on floor_ledger (org_id, seq) where route is not null;
  create index on floor_ledger (org_id, waba_phone_id, customer_id) where chatroom_id is null;
  create index on floor_ledger (org_id, sent_at, seq, wamid) where route = 'held' and chatroom_id is null;
  create index on floor_ledger (org_id, sent_at) where status = 'failed';
  create unique index on floor_ledger (org_id, outbox_id) where outbox_id is not null;
  create unique index on floor_ledger (org_id, retry_of) where retry_of is not null`

/** The ledger by month, as Usher has it: the months around this one, with the key and the indexes of each. */
const MONTHS = `drop table floor_ledger;
  create table floor_ledger (like messages) partition by range (sent_at);
  create index on floor_ledger (org_id, chatroom_id, sent_at, seq);
  create table floor_ledger_others partition of floor_ledger default;
  do $$ begin
    for ahead in -1..2 loop
      execute format('create table floor_ledger_%s partition of floor_ledger (primary key (org_id, wamid)) for values from (%L) to (%L)',
        ahead + 1, date_trunc('month', now()) + make_interval(months => ahead), date_trunc('month', now()) + make_interval(months => ahead + 1));
    end loop;
  end $$`

const identityOfSender = ({ message, contact, sentAt }: FloorMessage): Identity =>
  identityOf(
    {
      ...{ waId: message.from, userId: message.from_user_id, parentUserId: undefined },
      profileName: contact.profile.name,
    },
    sentAt,
    true,
  )

const WAMIDS = columns<FloorMessage>({ org_id: text((m) => m.orgId), wamid: text((m) => m.message.id) })
const ROOMS = columns<FloorMessage>({ org_id: text((m) => m.orgId), id: uuid((m) => m.roomId) })

const lookUpWamids = (messages: FloorMessage[]) =>
  over(WAMIDS, messages, {
    name: 'floor-known',
    text: `select l.org_id, l.wamid, l.type, l.chatroom_id, l.sent_at from ${WAMIDS.as('k')}
      cross join lateral (select * from floor_ledger where org_id = k.org_id and wamid = k.wamid offset 0) l`,
    read: nothing,
  })

const startWaits = (messages: FloorMessage[]) =>
  over(ROOMS, messages, {
    name: 'floor-waits',
    text: `insert into waiting_chatrooms (org_id, chatroom_id, since) select org_id, id, now() from ${ROOMS.as('r')}
      where id is not null group by org_id, id on conflict do nothing`,
    read: nothing,
  })

const customersOf = (messages: FloorMessage[]) => {
  const ids = new Map(messages.flatMap(({ orgId, customerId: id }) => (id ? [[id, { orgId, id }]] : [])))
  return [...ids.values()]
}

const pairsOf = (messages: FloorMessage[]) => {
  const pairs = messages.flatMap(({ orgId, customerId, phoneId }) =>
    customerId ? [[`${customerId}${phoneId}`, { orgId, customerId, phoneId }] as const] : [],
  )
  return [...new Map(pairs).values()]
}

const phonesOf = (messages: FloorMessage[]) => new Set(messages.map(({ phoneId }) => phoneId))

/** What each promise of Usher adds to the floor, by Usher's own statement where it is one of its own. */
export const PROMISES: Record<string, Extra> = {
  'no delivery is routed twice: claimed before it is deleted': {
    claim: (db, ids) => run(db, claimDeliveries(ids)),
  },
  'the number tells the org and its settings; a company is not its own customer': {
    before: (db, messages) =>
      run(db, readOwners(phonesOf(messages), [])).then(() =>
        run(db, readOwnNumbers(messages.map(({ phoneId, message }) => ({ phoneId, digits: message.from })))),
      ),
  },
  'identity: wa_id, E.164 and BSUID lead to one customer': {
    before: (db, messages) =>
      run(
        db,
        readAliasesAtNumbers(messages.map((m) => ({ phoneId: m.phoneId, identity: identityOfSender(m) }))),
      ),
  },
  'the customer is locked': { before: (db, messages) => run(db, lockCustomers(customersOf(messages))) },
  'the chatrooms of the customer decide': { before: (db, messages) => run(db, readRooms(pairsOf(messages))) },
  'a wamid that is known is found, not refused': {
    before: (db, messages) => run(db, lookUpWamids(messages)),
  },
  'a message is in a chatroom of its own sender: foreign key': { setUp: FOREIGN_KEY },
  'a ledger by month': { setUp: MONTHS },
  'indexes of the console, of held and failed messages, and of sends': { setUp: OTHER_INDEXES },
  'the event log': {
    after: (db, messages) =>
      run(
        db,
        logEvents(
          messages.map(({ orgId, customerId, message }) => ({
            ...{ orgId, customerId, wamid: message.id, type: 'message.received' as const },
          })),
        ),
      ),
  },
  'the list of customers who wait': { after: (db, messages) => run(db, startWaits(messages)) },
}
