import type { CustomerPreference } from '../consent/preferences.ts'
import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { hasNews } from '../identity/find.ts'
import { readAliasesAtNumbers } from '../identity/find-customers.ts'
import type { Holdings } from '../identity/holdings.ts'
import { isRenamed } from '../identity/learn.ts'
import type { CustomerKey, LockedCustomer } from '../identity/lock-customers.ts'
import { type Identity, identityOf, NOBODY, type Person } from '../identity/person.ts'
import { phoneVariants } from '../identity/phone.ts'
import { resolvePeople } from '../identity/resolve-customers.ts'
import { readKnownMessages } from '../messages/read-known-messages.ts'
import { ledgerKey } from '../rules/keys.ts'
import { ledgerEntryOf } from '../rules/ledger-months.ts'
import type { Extraction, InboundMessage, IncomingCall, Preference, StatusUpdate } from '../webhook/items.ts'
import { isNobody } from '../webhook/names.ts'
import { digitsOf } from '../webhook/speaker.ts'
import type { CustomerCall } from './last-calls.ts'
import { type PhoneAtNumber, phoneKey, readOwnNumbers } from './own-numbers.ts'
import { type Owners, type PhoneOwner, readOwners } from './owners.ts'
import type { Arrival } from './planned.ts'

/** An item with the person it is about, before it is known which org owns its number. */
type Mention<T> = { item: T; identity: Identity }

/** What people do otherwise than by writing. */
type Deed = Preference | IncomingCall

/** The people that some deliveries name, the owners of the numbers, and the customers that the names lead to so far. */
export type People = {
  owners: Owners
  messages: Mention<InboundMessage>[]
  deeds: Mention<Deed>[]
  recipients: Mention<StatusUpdate>[]
  known: Holdings
  /** Phones among these people that are numbers of the org itself, by `phoneKey`. */
  ownNumbers: Set<string>
}

/** Reads the owners of the numbers, and the names and own numbers among the people, in one round trip. */
export async function readPeople(tx: Db, extractions: Extraction[]): Promise<People> {
  const messages = extractions.flatMap((e) => e.messages.map(mentionOfSender))
  const deeds = extractions.flatMap((e) =>
    [...e.preferences, ...e.calls].map((item) => ({ item, identity: identityOf(item.sender, item.at) })),
  )
  const recipients = extractions.flatMap((e) => e.statuses.flatMap(mentionOfRecipient))
  const mentions = [...messages, ...deeds, ...recipients]
  const [owners, known, ownNumbers] = await send(tx, [
    readOwnersOf(extractions),
    readAliasesAtNumbers(
      mentions.map(({ item, identity }) => ({
        phoneId: item.phoneId,
        identity,
      })),
    ),
    readOwnNumbers([...messages, ...deeds].flatMap(phoneAtNumber)),
  ])
  return { owners, messages, deeds, recipients, known, ownNumbers }
}

/** The phone of the person, in every spelling that it may have. */
function phoneAtNumber({ item: { phoneId, sender } }: { item: Deed | InboundMessage }): PhoneAtNumber[] {
  const own = digitsOf(sender.waId)
  return own === undefined ? [] : [own, ...phoneVariants(own)].map((digits) => ({ phoneId, digits }))
}

function mentionOfSender(item: InboundMessage): Mention<InboundMessage> {
  if (isNobody(item.sender)) return { item, identity: NOBODY }
  const isWriting = item.nature === 'customer' || item.nature === 'standby'
  return { item, identity: identityOf(item.sender, item.sentAt, isWriting) }
}

function mentionOfRecipient(item: StatusUpdate): Mention<StatusUpdate>[] {
  const { recipient, at } = item
  return recipient ? [{ item, identity: identityOf({ ...recipient, profileName: undefined }, at) }] : []
}

/** The owners of the numbers and WABAs that these deliveries name. */
function readOwnersOf(extractions: Extraction[]) {
  const phones = new Set<string>()
  const wabas = new Set<string>()
  for (const e of extractions) {
    for (const item of [...e.messages, ...e.statuses, ...e.preferences, ...e.calls]) phones.add(item.phoneId)
    for (const event of e.accountEvents) {
      if (event.phoneId) phones.add(event.phoneId)
      wabas.add(event.wabaId)
    }
  }
  return readOwners(phones, wabas)
}

/**
 * The messages, preferences and calls at known numbers, with their customers, of whom `locked` are locked already. `phoneId`
 * is the number (`waba_phones.id`) here, in place of the `phone_number_id` that the webhook named.
 */
export type Identified = {
  arrivals: Arrival[]
  preferences: CustomerPreference[]
  calls: CustomerCall[]
  locked: LockedCustomer[]
}

const ASKED = { actor: 'routing', reason: 'the customer asked for it' }

/**
 * Finds the customers behind messages, preferences and calls at known numbers; unknown people become customers. A message that
 * is in the ledger already teaches no names: a redelivery, days late, must not move them back. Statuses only add names
 * to known customers. Customers in `along`, whom the caller needs locked, are locked where the others are.
 */
export async function identify(tx: Db, people: People, along: CustomerKey[]): Promise<Identified> {
  const isOwn = ({ item }: { item: Deed | InboundMessage }) =>
    people.ownNumbers.size > 0 &&
    phoneAtNumber({ item }).some((phone) => people.ownNumbers.has(phoneKey(phone)))
  const messages = owned(people.messages, people.owners).map((message) =>
    message.item.nature === 'own' || isOwn(message) ? withoutCustomer(message) : message,
  )
  const deeds = owned(people.deeds, people.owners).filter((deed) => !isOwn(deed))
  const recipients = owned(people.recipients, people.owners).map(({ person }) => ({
    ...person,
    passive: true,
  }))
  const { known } = people
  const { senders, news } = await withoutNewsOfKnown(tx, messages, known)
  const everybody = [...recipients, ...senders, ...deeds.map(({ person }) => person)]
  const isSender = new Set(senders)
  const isNews = (person: Person) => (isSender.has(person) ? news.has(person) : hasNews(known, person))
  const resolved = await resolvePeople(tx, everybody, { known, news: everybody.filter(isNews), along })
  const ids = resolved.customerIds.slice(recipients.length)
  return {
    locked: resolved.locked,
    arrivals: messages.map(({ item, owner }, i) => ({
      orgId: owner.orgId,
      settings: owner.settings,
      message: item.phoneId === owner.phoneId ? item : { ...item, phoneId: owner.phoneId },
      customerId: ids[i],
    })),
    ...sorted(deeds, ids.slice(messages.length)),
  }
}

/** The preferences and the calls among what these customers did. */
function sorted(deeds: Owned<Deed>[], ids: (string | undefined)[]) {
  const done: Pick<Identified, 'preferences' | 'calls'> = { preferences: [], calls: [] }
  for (const [i, { item, owner }] of deeds.entries()) {
    const customerId = ids[i]
    if (!customerId) continue
    const deed = { orgId: owner.orgId, phoneId: owner.phoneId, customerId, at: item.at }
    if ('value' in item) done.preferences.push({ ...deed, value: item.value, ...ASKED })
    else done.calls.push(deed)
  }
  return done
}

/** The people whom items at known numbers name. */
export function peopleOf({ messages, deeds, recipients, owners }: People): Person[] {
  return [messages, deeds, recipients].flatMap((mentions: Mention<{ phoneId: string }>[]) =>
    owned(mentions, owners).map(({ person }) => person),
  )
}

type Owned<T> = { item: T; owner: PhoneOwner; person: Person }

function owned<T extends { phoneId: string }>(items: Mention<T>[], { phones }: Owners): Owned<T>[] {
  return items.flatMap(({ item, identity }) => {
    const owner = phones.get(item.phoneId)
    return owner ? [{ item, owner, person: { ...identity, orgId: owner.orgId, wabaId: owner.wabaId } }] : []
  })
}

/** The message of a person who is no customer: no name is looked up or learned. */
function withoutCustomer({ item, owner }: Owned<InboundMessage>): Owned<InboundMessage> {
  return { item: { ...item, nature: 'own' }, owner, person: { orgId: owner.orgId, ...NOBODY } }
}

/**
 * The senders, passive where their message is in the ledger already, and those of them who bring news. The ledger is asked
 * only about messages that bring news: these are rare, and the ledger is large.
 */
async function withoutNewsOfKnown(
  tx: Db,
  messages: Owned<InboundMessage>[],
  known: Holdings,
): Promise<{ senders: Person[]; news: Set<Person> }> {
  // After a change of names, all people are looked at again: see resolvePeople.
  const areRenamed = messages.some(({ person }) => isRenamed(person))
  const teaching = new Set(messages.filter(({ person }) => areRenamed || hasNews(known, person)))
  const inLedger = await run(tx, readKnownMessages([...teaching].map(ledgerEntry)))
  const news = new Set<Person>()
  const senders = messages.map((message) => {
    if (!teaching.has(message)) return message.person
    const passive = message.person.passive || inLedger.has(ledgerKey(ledgerEntry(message)))
    const person = { ...message.person, passive }
    if (hasNews(known, person)) news.add(person)
    return person
  })
  return { senders, news }
}

const ledgerEntry = ({ item, owner }: Owned<InboundMessage>) => ledgerEntryOf(owner.orgId, item)
