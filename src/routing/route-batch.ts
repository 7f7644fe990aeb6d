import { type Db, inReplayableTransaction, inSavepoint, inTransaction, together } from '../db/client.ts'
import { isTransient, sqlState } from '../db/pg-errors.ts'
import { claimDeliveries, type Delivery } from '../inbox/claim.ts'
import { type Outcome, settleDeliveries } from '../inbox/settle.ts'
import { extract } from '../webhook/extract.ts'
import type { Extraction } from '../webhook/items.ts'
import { ownerOfEvent, readOwnersOf, readWho } from './identify.ts'
import type { Owners } from './owners.ts'
import { type RoutedItems, routeExtractions } from './route-extractions.ts'

/** What a batch came to, for metrics and for waking the sender. */
export type Routed = RoutedItems & { outcomes: Outcome[] }

/** Told of the error behind an item that ends in a dead letter, and of its delivery, for the log. */
export type OnPoison = (error: unknown, deliveryId: number) => void

/** In a larger batch, planning costs a message little, and a plan that is none for the tables as they are costs much. */
const SMALL_BATCH = 3

/**
 * Routes deliveries to their chatrooms, all in one transaction with a fixed number of round trips. Its commit does not
 * wait for the disk: should a crash of PostgreSQL undo it, the deliveries are in the inbox again. Deliveries
 * that are gone, or that another worker holds, are left out. When content that PostgreSQL refuses fails the
 * batch, every delivery, and then every item of the one that fails, is tried by itself: poison hurts only itself.
 * @throws what a retry may mend (lost connection, deadlock ...); nothing has been written then.
 */
export async function routeBatch(db: Db, ids: number[], onPoison: OnPoison): Promise<Routed> {
  try {
    const small = ids.length <= SMALL_BATCH
    return await inReplayableTransaction(db, small, (tx, begun) => routeTogether(tx, begun, ids))
  } catch (error) {
    if (isTransient(error)) throw error
    const [only, ...others] = ids
    if (only === undefined || others.length === 0)
      return inTransaction(db, (tx) => routeItemByItem(tx, ids, onPoison))
    const parts: Routed[] = []
    for (const id of ids) parts.push(await routeBatch(db, [id], onPoison))
    return merge(parts)
  }
}

async function routeTogether(tx: Db, begun: Promise<unknown>, ids: number[]): Promise<Routed> {
  const [, { deliveries, now }] = await together([begun, claimDeliveries(tx, ids)])
  if (deliveries.length === 0) return merge([])
  const extractions = deliveries.map((d) => extract(d))
  const who = await readWho(tx, extractions)
  const outcomes = extractions.map((e) => outcomeOf(e, who.owners))
  const routed = await routeExtractions(tx, extractions, who, now, outcomes)
  return { ...routed, outcomes }
}

/** Unreadable parts make a delivery dead; else what nobody has provisioned parks it; else it is done. */
function outcomeOf(e: Extraction, owners: Owners): Outcome {
  if (e.problems.length > 0) return { id: e.deliveryId, end: 'dead', problems: e.problems }
  const number = [...e.messages, ...e.statuses, ...e.preferences].find(
    (item) => !owners.phones.has(item.phoneId),
  )
  if (number) return { id: e.deliveryId, end: 'parked', waitsFor: `phone:${number.phoneId}` }
  const event = e.accountEvents.find((a) => !ownerOfEvent(a, owners))
  if (event) return { id: e.deliveryId, end: 'parked', waitsFor: `waba:${event.wabaId}` }
  return { id: e.deliveryId, end: 'routed' }
}

/** The last resort for one delivery: each item in a savepoint of its own; what still fails is named. */
async function routeItemByItem(tx: Db, ids: number[], onPoison: OnPoison): Promise<Routed> {
  const { deliveries, now } = await claimDeliveries(tx, ids)
  const parts: Routed[] = []
  for (const delivery of deliveries) parts.push(await routeItems(tx, delivery, now, onPoison))
  return merge(parts)
}

async function routeItems(tx: Db, delivery: Delivery, now: Date, onPoison: OnPoison): Promise<Routed> {
  const whole = extract(delivery)
  // Once: a number provisioned meanwhile would make an item that was left out look routed.
  const owners = await readOwnersOf(tx, [whole])
  const parts: Routed[] = []
  for (const [place, item] of singles(whole)) {
    try {
      parts.push({
        ...(await inSavepoint(tx, () => routeItem(tx, item, owners, now))),
        outcomes: [],
      })
    } catch (error) {
      if (isTransient(error)) throw error
      onPoison(error, delivery.id)
      whole.problems.push(`${place}: ${refusal(error)}`)
    }
  }
  const outcome = outcomeOf(whole, owners)
  await settleDeliveries(tx, [outcome])
  return { ...merge(parts), outcomes: [outcome] }
}

async function routeItem(tx: Db, item: Extraction, owners: Owners, now: Date): Promise<RoutedItems> {
  return routeExtractions(tx, [item], { ...(await readWho(tx, [item])), owners }, now)
}

function refusal(error: unknown): string {
  const state = sqlState(error)
  return state ? `refused by the database (SQLSTATE ${state})` : 'failed in Usher itself (see the log)'
}

function singles(e: Extraction): [string, Extraction][] {
  const none = {
    deliveryId: e.deliveryId,
    messages: [],
    statuses: [],
    accountEvents: [],
    preferences: [],
    problems: [],
  }
  return [
    ...e.messages.map((m, i): [string, Extraction] => [`messages[${i}]`, { ...none, messages: [m] }]),
    ...e.statuses.map((s, i): [string, Extraction] => [`statuses[${i}]`, { ...none, statuses: [s] }]),
    ...e.preferences.map((p, i): [string, Extraction] => [
      `user_preferences[${i}]`,
      { ...none, preferences: [p] },
    ]),
    ...e.accountEvents.map((a): [string, Extraction] => [a.field, { ...none, accountEvents: [a] }]),
  ]
}

function merge(parts: Routed[]): Routed {
  return {
    messages: parts.flatMap((p) => p.messages),
    duplicates: parts.reduce((sum, p) => sum + p.duplicates, 0),
    outcomes: parts.flatMap((p) => p.outcomes),
    replies: parts.flatMap((p) => p.replies),
  }
}
