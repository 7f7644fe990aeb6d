import { v7 as uuidv7 } from 'uuid'
import { type Db, together } from '../db/client.ts'
import { type Person, personOf, personOfStatus } from '../identity/aliases.ts'
import { readAliases } from '../identity/find-customers.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { hasNews, resolveCustomers } from '../identity/resolve-customers.ts'
import { type Outcome, settleDeliveries } from '../inbox/settle.ts'
import type { OutboxRow } from '../outbound/queue-messages.ts'
import type { AccountEvent, Extraction, InboundMessage } from '../webhook/items.ts'
import { keepAccountEvents } from './account-events.ts'
import { applyPlan } from './apply.ts'
import { createRooms } from './create-rooms.ts'
import { readKnownMessages, readRooms } from './facts.ts'
import { ledgerKey, pairKey } from './keys.ts'
import { type Owner, type Owners, readOwners } from './owners.ts'
import { type Arrival, type PlannedMessage, planBatch } from './plan.ts'
import { applyPreferences, type OrgPreference } from './preferences.ts'
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
  owners: Owners,
  now: Date,
  outcomes: Outcome[] = [],
): Promise<RoutedItems> {
  const { arrivals, preferences } = await identify(tx, extractions, owners)
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

/** Whose numbers and WABAs these deliveries speak of. */
export async function readOwnersOf(tx: Db, extractions: Extraction[]): Promise<Owners> {
  const phones = new Set<string>()
  const wabas = new Set<string>()
  for (const e of extractions) {
    for (const item of [...e.messages, ...e.statuses]) phones.add(item.phoneId)
    for (const event of e.accountEvents) {
      if (event.phoneId) phones.add(event.phoneId)
      wabas.add(event.wabaId)
    }
  }
  return readOwners(tx, [...phones], [...wabas])
}

/** The org of an account event: that of its WABA, else that of the number it names. */
export function ownerOfEvent(event: AccountEvent, owners: Owners): Owner | undefined {
  return owners.wabas.get(event.wabaId) ?? (event.phoneId ? owners.phones.get(event.phoneId) : undefined)
}

/**
 * Who sent what. Messages that are in the ledger already teach no names: a redelivery, days late, must not move
 * them back. Statuses add names to customers we know.
 */
async function identify(
  tx: Db,
  extractions: Extraction[],
  owners: Owners,
): Promise<{ arrivals: Arrival[]; preferences: OrgPreference[] }> {
  const messages = extractions.flatMap((e) => owned(e.messages, (m) => owners.phones.get(m.phoneId)))
  const preferences = extractions.flatMap((e) => owned(e.preferences, (p) => owners.phones.get(p.phoneId)))
  const statuses = extractions.flatMap((e) => owned(e.statuses, (s) => owners.phones.get(s.phoneId)))
  const taught = statuses.flatMap((s) => (s.recipient ? [personOfStatus(s.orgId, s.recipient)] : []))
  const senders = messages.map((m) => personOf(m.orgId, m.sender))
  const askers = preferences.map((p) => personOf(p.orgId, p.sender))
  const known = await readAliases(tx, [...taught, ...senders, ...askers])
  const writers = await silenceKnown(tx, messages, senders, (sender) => hasNews(known, sender))
  const people = [...taught, ...writers, ...askers]
  const ids = (await resolveCustomers(tx, people, known)).slice(taught.length)
  return {
    arrivals: messages.map(({ orgId, settings, ...message }, i) => ({
      orgId,
      settings,
      message,
      customerId: ids[i] ?? '',
    })),
    preferences: preferences.map((p, i) => ({ ...p, customerId: ids[messages.length + i] ?? '' })),
  }
}

/** Asked only of those who have something to teach: a message with news is rare, and the ledger is large. */
async function silenceKnown(
  tx: Db,
  messages: (InboundMessage & Owner)[],
  senders: Person[],
  hasNews: (sender: Person) => boolean,
): Promise<Person[]> {
  const teaching = new Set(senders.flatMap((sender, i) => (hasNews(sender) ? [messages[i]] : [])))
  if (teaching.size === 0) return senders
  const known = await readKnownMessages(
    tx,
    messages.filter((message) => teaching.has(message)),
  )
  return senders.map((sender, i) => {
    const message = messages[i]
    return message && known.has(ledgerKey(message)) ? { ...sender, passive: true } : sender
  })
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
