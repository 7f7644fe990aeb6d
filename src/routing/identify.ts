import { type Db, together } from '../db/client.ts'
import { type Person, type Someone, someoneOf } from '../identity/aliases.ts'
import { type KnownAliases, readAliasesAtNumbers } from '../identity/find-customers.ts'
import { hasNews, resolveCustomers } from '../identity/resolve-customers.ts'
import { readKnownMessages } from '../messages/read-known-messages.ts'
import { ledgerKey } from '../rules/keys.ts'
import type { AccountEvent, Extraction, InboundMessage, Preference, StatusUpdate } from '../webhook/items.ts'
import { type Owner, type Owners, readOwners } from './owners.ts'
import type { Arrival } from './plan.ts'
import type { OrgPreference } from './preferences.ts'

/** An item with the one it is about, before it is known which org owns its number. */
type Heard<T> = { item: T; someone: Someone }

/** Whose numbers some deliveries speak of, who speaks, and whom their names are known to belong to. */
export type Who = {
  owners: Owners
  messages: Heard<InboundMessage>[]
  preferences: Heard<Preference>[]
  recipients: Heard<StatusUpdate>[]
  known: KnownAliases
}

/** Asks for the owners of the numbers and for the names of the people together, in one round trip. */
export async function readWho(tx: Db, extractions: Extraction[]): Promise<Who> {
  const messages = extractions.flatMap((e) => e.messages.map((item) => heard(item, item.sender)))
  const preferences = extractions.flatMap((e) => e.preferences.map((item) => heard(item, item.sender)))
  const recipients = extractions.flatMap((e) =>
    e.statuses.flatMap((item) =>
      item.recipient ? [heard(item, { ...item.recipient, profileName: undefined })] : [],
    ),
  )
  const [owners, known] = await together([
    readOwnersOf(tx, extractions),
    readAliasesAtNumbers(
      tx,
      [...messages, ...preferences, ...recipients].map(({ item, someone }) => [item.phoneId, someone]),
    ),
  ])
  return { owners, messages, preferences, recipients, known }
}

function heard<T>(item: T, sender: Parameters<typeof someoneOf>[0]): Heard<T> {
  return { item, someone: someoneOf(sender) }
}

/** Whose numbers and WABAs these deliveries speak of. */
export function readOwnersOf(tx: Db, extractions: Extraction[]): Promise<Owners> {
  const phones = new Set<string>()
  const wabas = new Set<string>()
  for (const e of extractions) {
    for (const item of [...e.messages, ...e.statuses, ...e.preferences]) phones.add(item.phoneId)
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
 * The customers behind messages and preferences at known numbers; people whom nobody knows become customers. Messages that
 * are in the ledger already teach no names: a redelivery, days late, must not move them back. Statuses add names to
 * customers we know.
 */
export async function identify(
  tx: Db,
  who: Who,
): Promise<{ arrivals: Arrival[]; preferences: OrgPreference[] }> {
  const messages = owned(who.messages, who.owners)
  const preferences = owned(who.preferences, who.owners)
  const taught = owned(who.recipients, who.owners).map(({ person }) => ({ ...person, passive: true }))
  const writers = await silenceKnown(tx, messages, who.known)
  const people = [...taught, ...writers, ...preferences.map(({ person }) => person)]
  const ids = (await resolveCustomers(tx, people, who.known)).slice(taught.length)
  return {
    arrivals: messages.map(({ item: message, owner: { orgId, settings } }, i) => ({
      orgId,
      settings,
      message,
      customerId: ids[i] ?? '',
    })),
    preferences: preferences.map(({ item, owner: { orgId, deactivateOnOptOut } }, i) => ({
      ...item,
      orgId,
      deactivateOnOptOut,
      customerId: ids[messages.length + i] ?? '',
    })),
  }
}

type Owned<T> = { item: T; owner: Owner; person: Person }

function owned<T extends { phoneId: string }>(items: Heard<T>[], { phones }: Owners): Owned<T>[] {
  return items.flatMap(({ item, someone }) => {
    const owner = phones.get(item.phoneId)
    return owner ? [{ item, owner, person: { orgId: owner.orgId, ...someone } }] : []
  })
}

/** Asked only of those who have something to teach: a message with news is rare, and the ledger is large. */
async function silenceKnown(
  tx: Db,
  messages: Owned<InboundMessage>[],
  known: KnownAliases,
): Promise<Person[]> {
  const teaching = messages.filter(({ person }) => hasNews(known, person))
  const old = teaching.length > 0 ? await readKnownMessages(tx, teaching.map(ledgerEntry)) : new Map()
  return messages.map((message) =>
    old.has(ledgerKey(ledgerEntry(message))) ? { ...message.person, passive: true } : message.person,
  )
}

const ledgerEntry = ({ item, owner }: Owned<InboundMessage>) => ({ orgId: owner.orgId, wamid: item.wamid })
