import { v7 as uuidv7 } from 'uuid'
import { readRooms } from '../chatrooms/read-rooms.ts'
import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { run, type Statement, send } from '../db/statement.ts'
import { inReplayableTransaction } from '../db/transaction.ts'
import { assertNotErased, lockCustomers } from '../identity/lock-customers.ts'
import { claimDeliveries } from '../inbox/claim.ts'
import { endDeliveries, type Outcome } from '../inbox/end-deliveries.ts'
import { readKnownMessages } from '../messages/read-known-messages.ts'
import { extract } from '../webhook/extract.ts'
import type { Extraction } from '../webhook/items.ts'
import { applyChanges } from './apply.ts'
import { identify, type People, readPeople } from './identify.ts'
import { customersToLock, ledgerEntriesOf, pairsOf } from './lookups.ts'
import { accountEventsOf, outcomeOf, statusesOf } from './owned-items.ts'
import { orgsOf } from './owners.ts'
import { planBatch } from './plan.ts'
import type { PlannedMessage } from './planned.ts'
import { readRefusedCustomers } from './refused-customers.ts'
import { seenAddresses } from './seen-addresses.ts'
import { stopsByWord } from './stops-by-word.ts'
import { withoutErased } from './without-erased.ts'

/**
 * What became of the items of some deliveries. `orgs`: the orgs that they concerned. `waitedMs`: how long the newest message
 * had waited when it was claimed, by the database's clock; infinite if there was none.
 */
export type RoutedItems = {
  messages: PlannedMessage[]
  duplicates: number
  replies: OutboxRow[]
  orgs: string[]
  waitedMs: number
}

/** What a batch came to, for metrics and for the sender, which is notified of the replies. */
export type Routed = RoutedItems & { outcomes: Outcome[] }

const NOTHING: RoutedItems = { messages: [], duplicates: 0, replies: [], orgs: [], waitedMs: Infinity }

/**
 * Routes deliveries to their chatrooms: claim, extract, identify, lock and read, plan, apply; all in one transaction
 * with a fixed number of round trips. Its commit does not wait for the disk: if a crash of PostgreSQL undoes it, the
 * deliveries are in the inbox again. Deliveries that are gone, or that another worker holds, are left out, and so is what
 * was erased, as far as `secretsKey` can tell.
 * @throws any error of PostgreSQL or of planning; nothing has been written then
 */
export async function routeBatch(db: Db, ids: number[], secretsKey?: Buffer): Promise<Routed> {
  const first = [claimDeliveries(ids)] as const
  return inReplayableTransaction(db, { first }, async (tx, [{ deliveries, now }]) => {
    if (deliveries.length === 0) return { ...NOTHING, outcomes: [] }
    const extractions = deliveries.map(extract)
    const people = await withoutErased(tx, await readPeople(tx, extractions), secretsKey)
    const outcomes = extractions.map((extraction) => outcomeOf(extraction, people.owners))
    return { ...(await routeItems(tx, extractions, people, now, endDeliveries(outcomes))), outcomes }
  })
}

/**
 * Routes the items of deliveries, inside a transaction; items of unknown numbers are left out. Lock order: identities,
 * customers by (org, id), the rest. `ends` are sent along with the last statements.
 */
export async function routeItems(
  tx: Db,
  extractions: Extraction[],
  people: People,
  now: Date,
  ends: Statement<void>[] = [],
): Promise<RoutedItems> {
  const statuses = statusesOf(extractions, people.owners)
  const refused = await run(tx, readRefusedCustomers(statuses))
  const identified = await identify(tx, people, refused)
  const { arrivals, preferences, calls } = identified
  // The chatrooms and the ledger are read after the lock, so they include all that the lock waited for.
  const [others, rooms, messages] = await send(tx, [
    lockCustomers(customersToLock(identified, refused)),
    readRooms(pairsOf(arrivals)),
    readKnownMessages(ledgerEntriesOf(arrivals)),
  ])
  const locked = [...identified.locked, ...others]
  assertNotErased(locked)
  const plan = planBatch(arrivals, { rooms, messages }, now, uuidv7)
  const accountEvents = accountEventsOf(extractions, people.owners)
  const wishes = [...preferences, ...stopsByWord([...plan.messages, ...plan.unmasked])]
  const addresses = seenAddresses(plan.messages, locked)
  const changes = { locked, plan, addresses, preferences: wishes, calls, statuses, accountEvents, ends }
  const replies = await applyChanges(tx, changes)
  const waits = plan.messages.map(({ message }) => now.getTime() - message.receivedAt.getTime())
  const { messages: routed, duplicates } = plan
  return { messages: routed, duplicates, replies, orgs: orgsOf(people.owners), waitedMs: Math.min(...waits) }
}
