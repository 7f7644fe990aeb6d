import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { digestKey, digestOf } from '../erased/digest.ts'
import { readTombstones } from '../erased/tombstones.ts'
import type { InboundMessage, IncomingCall, Preference } from '../webhook/items.ts'
import type { People } from './identify.ts'
import type { Owners } from './owners.ts'

type Item = InboundMessage | Preference | IncomingCall

/**
 * People without the messages and deeds that were erased (docs/privacy.md#redelivery-after-an-erasure): those whose wamid was
 * erased, and those that a person sent under a name before the second in which it was erased. Nothing is asked of the
 * database unless the org has tombstones and the item is older than the latest of them.
 */
export async function withoutErased(tx: Db, people: People, secretsKey: Buffer | undefined): Promise<People> {
  const late = [...people.messages, ...people.deeds]
    .map(({ item }) => item)
    .filter((item) => isLate(item, people.owners))
  if (late.length === 0 || !secretsKey) return people
  const marksOf = createMarksOf(people.owners, digestKey(secretsKey))
  const found = await run(tx, readTombstones(late.flatMap((item) => Object.values(marksOf(item)).flat())))
  if (found.size === 0) return people
  const isErased = (item: Item) => {
    const { wamids, names } = marksOf(item)
    const erasedAt = (mark: { digest: Buffer }) => found.get(mark.digest.toString('base64'))
    if (wamids.some(erasedAt)) return true
    return names.map(erasedAt).some((at) => at !== undefined && timeOf(item) < startOfSecond(at))
  }
  const erased = new Set(late.filter(isErased))
  return {
    ...people,
    messages: people.messages.filter(({ item }) => !erased.has(item)),
    deeds: people.deeds.filter(({ item }) => !erased.has(item)),
  }
}

function isLate(item: Item, { phones }: Owners): boolean {
  const erasedAt = phones.get(item.phoneId)?.erasedAt
  return erasedAt !== undefined && timeOf(item) <= erasedAt.getTime()
}

function createMarksOf({ phones }: Owners, key: Buffer) {
  return (item: Item) => {
    const orgId = phones.get(item.phoneId)?.orgId ?? ''
    const mark = (value: string) => ({ orgId, digest: digestOf(key, orgId, value) })
    const { waId, userId, parentUserId } = item.sender
    const names = [waId, userId, parentUserId].filter((name) => name !== undefined)
    return { wamids: 'wamid' in item ? [mark(item.wamid)] : [], names: names.map(mark) }
  }
}

function timeOf(item: Item): number {
  return ('sentAt' in item ? item.sentAt : item.at).getTime()
}

/** Meta counts whole seconds, so a message of the same second may have been written afterwards, and is kept. */
function startOfSecond(at: Date): number {
  return at.getTime() - at.getMilliseconds()
}
