import type { Db } from '../db/client.ts'
import { isTransient, sqlState } from '../db/pg-errors.ts'
import { run, send } from '../db/statement.ts'
import { inSavepoint, inTransaction } from '../db/transaction.ts'
import { lockPeople } from '../identity/lock-people.ts'
import { claimDeliveries, type Delivery } from '../inbox/claim.ts'
import { endDeliveries, type Outcome } from '../inbox/end-deliveries.ts'
import { extract } from '../webhook/extract.ts'
import type { Extraction } from '../webhook/items.ts'
import { peopleOf, readPeople } from './identify.ts'
import { outcomeOf } from './owned-items.ts'
import { type Routed, routeBatch, routeItems } from './route-batch.ts'
import { withoutErased } from './without-erased.ts'

/** Called with the error of each item that ends in a dead letter, and with its delivery, for the log. */
export type OnPoison = (error: unknown, deliveryId: number) => void

/**
 * Routes deliveries as a batch. When content that PostgreSQL refuses fails the batch, each delivery is routed by itself,
 * and then each item of the delivery that fails: a poison message hurts only itself.
 * @throws errors that a retry may cure (lost connection, deadlock ...); of the deliveries of the failed part, nothing
 * has been written then
 */
export async function routeDeliveries(
  db: Db,
  ids: number[],
  onPoison: OnPoison,
  secretsKey?: Buffer,
): Promise<Routed> {
  try {
    return await routeBatch(db, ids, secretsKey)
  } catch (error) {
    if (isTransient(error)) throw error
    const [only, ...others] = ids
    if (only === undefined || others.length === 0) return routeItemByItem(db, ids, onPoison, secretsKey)
    const parts: Routed[] = []
    for (const id of ids) parts.push(await routeDeliveries(db, [id], onPoison, secretsKey))
    return merge(parts)
  }
}

/** Routes each item in a savepoint of its own; a delivery with an item that still fails is a dead letter. */
function routeItemByItem(db: Db, ids: number[], onPoison: OnPoison, secretsKey?: Buffer): Promise<Routed> {
  return inTransaction(db, async (tx) => {
    const { deliveries, now } = await run(tx, claimDeliveries(ids))
    const parts: Routed[] = []
    const route = (item: Extraction) => routeItem(tx, item, now, secretsKey)
    for (const delivery of deliveries) parts.push(await routeDelivery(tx, delivery, route, onPoison))
    return merge(parts)
  })
}

async function routeDelivery(
  tx: Db,
  delivery: Delivery,
  route: (item: Extraction) => Promise<Routed>,
  onPoison: OnPoison,
): Promise<Routed> {
  const { problems, ...items } = extract(delivery)
  await lockAtOnce(tx, { ...items, problems })
  const parts: Routed[] = []
  for (const { place, item } of singles(items)) {
    try {
      parts.push(await inSavepoint(tx, () => route(item)))
    } catch (error) {
      if (isTransient(error)) throw error
      onPoison(error, delivery.id)
      problems.push(`${place}: ${refusalText(error)}`)
    }
  }
  const routed = merge(parts)
  const outcome = endOf(delivery.id, problems, routed.outcomes)
  await send(tx, endDeliveries([outcome]))
  return { ...routed, outcomes: [outcome] }
}

/**
 * Locks the people of all items in the one order, before the items come in the order of the delivery. If one of them
 * cannot be looked up, each item locks its own; a deadlock is then possible, and is retried.
 */
async function lockAtOnce(tx: Db, extraction: Extraction): Promise<void> {
  try {
    await inSavepoint(tx, async () => lockPeople(tx, peopleOf(await readPeople(tx, [extraction]))))
  } catch (error) {
    if (isTransient(error)) throw error
  }
}

/**
 * Reads all that an item needs, and routes it. An item whose number is unknown parks its delivery, also when the number is
 * provisioned while the other items are routed.
 */
async function routeItem(tx: Db, item: Extraction, now: Date, secretsKey?: Buffer): Promise<Routed> {
  const people = await withoutErased(tx, await readPeople(tx, [item]), secretsKey)
  return { ...(await routeItems(tx, [item], people, now)), outcomes: [outcomeOf(item, people.owners)] }
}

function endOf(id: number, problems: string[], ends: Outcome[]): Outcome {
  if (problems.length > 0) return { id, end: 'dead', problems }
  return ends.find(({ end }) => end === 'parked') ?? { id, end: 'routed' }
}

function refusalText(error: unknown): string {
  const state = sqlState(error)
  return state ? `refused by the database (SQLSTATE ${state})` : 'failed in Usher itself (see the log)'
}

/** Every item of a delivery as an extraction of its own, with its place in the delivery. */
function singles(whole: Omit<Extraction, 'problems'>): { place: string; item: Extraction }[] {
  const none = { messages: [], statuses: [], accountEvents: [], preferences: [], calls: [], problems: [] }
  const single = (place: string, items: Partial<Extraction>) => ({
    place,
    item: { deliveryId: whole.deliveryId, ...none, ...items },
  })
  return [
    ...whole.messages.map((message, i) => single(`messages[${i}]`, { messages: [message] })),
    ...whole.statuses.map((status, i) => single(`statuses[${i}]`, { statuses: [status] })),
    ...whole.preferences.map((p, i) => single(`user_preferences[${i}]`, { preferences: [p] })),
    ...whole.calls.map((call, i) => single(`calls[${i}]`, { calls: [call] })),
    ...whole.accountEvents.map((event) => single(event.field, { accountEvents: [event] })),
  ]
}

function merge(parts: Routed[]): Routed {
  return {
    messages: parts.flatMap((part) => part.messages),
    duplicates: parts.reduce((sum, part) => sum + part.duplicates, 0),
    replies: parts.flatMap((part) => part.replies),
    orgs: parts.flatMap((part) => part.orgs),
    waitedMs: Math.min(...parts.map((part) => part.waitedMs)),
    outcomes: parts.flatMap((part) => part.outcomes),
  }
}
