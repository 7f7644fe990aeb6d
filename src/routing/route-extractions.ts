import { v7 as uuidv7 } from 'uuid'
import { readRooms } from '../chatrooms/read-rooms.ts'
import { type Db, together } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { type Outcome, settleDeliveries } from '../inbox/settle.ts'
import { readKnownMessages } from '../messages/read-known-messages.ts'
import { pairKey } from '../rules/keys.ts'
import type { Extraction } from '../webhook/items.ts'
import { keepAccountEvents } from './account-events.ts'
import { applyPlan } from './apply.ts'
import { createRooms } from './create-rooms.ts'
import { identify, ownerOfEvent, type Who } from './identify.ts'
import type { Owner } from './owners.ts'
import { type Arrival, type PlannedMessage, planBatch } from './plan.ts'
import { applyPreferences } from './preferences.ts'
import { applyStatuses } from './statuses.ts'

/** What became of the items of some deliveries. */
export type RoutedItems = { messages: PlannedMessage[]; duplicates: number; replies: OutboxRow[] }

/**
 * Gives messages, statuses and account events of known numbers their place; those of unknown ones are left out.
 * Lock order: identities, customers by (org, id), the rest; the chatrooms are read after the lock. The ends of the
 * deliveries are written along with the last statements.
 */
export async function routeExtractions(
  tx: Db,
  extractions: Extraction[],
  who: Who,
  now: Date,
  outcomes: Outcome[] = [],
): Promise<RoutedItems> {
  const { arrivals, preferences } = await identify(tx, who)
  const { owners } = who
  const customers = [...arrivals, ...preferences].filter((a) => a.customerId !== '')
  // Sent at once, run one after another: the chatrooms are read by a later statement than the lock (pipelined).
  const [, facts] = await together([
    lockCustomers(
      tx,
      customers.map((a) => ({ orgId: a.orgId, id: a.customerId })),
    ),
    readFacts(tx, arrivals),
  ])
  const plan = planBatch(arrivals, facts, now, uuidv7)
  if (plan.created.length > 0) await createRooms(tx, plan.created)
  const [replies] = await together([
    applyPlan(tx, plan),
    applyPreferences(tx, preferences),
    applyStatuses(
      tx,
      extractions.flatMap((e) => owned(e.statuses, (s) => owners.phones.get(s.phoneId))),
    ),
    keepAccountEvents(
      tx,
      extractions.flatMap((e) => owned(e.accountEvents, (a) => ownerOfEvent(a, owners))),
    ),
    settleDeliveries(tx, outcomes),
  ])
  return { messages: plan.messages, duplicates: plan.duplicates, replies }
}

async function readFacts(tx: Db, arrivals: Arrival[]) {
  const placed = arrivals.filter((a) => a.customerId !== '')
  const pairs = new Map(placed.map((a) => [pairKey(pairOf(a)), pairOf(a)]))
  const ids = arrivals.map((a) => ({ orgId: a.orgId, wamid: a.message.wamid }))
  const [rooms, messages] = await together([readRooms(tx, [...pairs.values()]), readKnownMessages(tx, ids)])
  return { rooms: new Map([...pairs.keys()].map((key, i) => [key, rooms[i] ?? []])), messages }
}

function pairOf(arrival: Arrival) {
  return { orgId: arrival.orgId, customerId: arrival.customerId, phoneId: arrival.message.phoneId }
}

function owned<T>(items: T[], ownerOf: (item: T) => Owner | undefined): (T & Owner)[] {
  return items.flatMap((item) => {
    const owner = ownerOf(item)
    return owner ? [{ ...item, ...owner }] : []
  })
}
