import type { Db } from '../db/client.ts'
import type { Org } from '../db/schema/index.ts'
import { yieldToRouting } from '../inbox/yield-to-routing.ts'
import type { Candidate, Rejected } from './candidate.ts'
import { importBatch } from './import-batch.ts'
import { type Outcome, rejected } from './outcome.ts'
import { workSideBySide } from './side-by-side.ts'

/** Who imports, and for which org. */
export type Importer = {
  actor: string
  /** The org, and the database's clock, as they are when a batch begins. */
  open: () => Promise<{ org: Org; now: Date }>
}

/** Batches that are worked on at a time: one waits for the database while the other is worked on here. */
const BATCHES = 2
/** The key of all batches with chatrooms: who gets a chatroom depends on those of the lines before. */
const CHATROOMS = 'chatrooms'

/**
 * Imports contacts (docs/import.md), a batch in a transaction, and gives the outcomes of each batch, in the order of its
 * lines, when it is committed. Two batches are under way at a time, unless they have a `crm_id` in common or both have chatrooms, and
 * the next one is read meanwhile. Routing goes first: while it is late, a batch begins once a second. A contact whose
 * `crm_id` exists is left as it is, so an import that was cut off can be sent again.
 * @throws what reading and the database throw; the batches whose outcomes were given are committed
 */
export function importContacts(
  db: Db,
  batches: AsyncIterable<Line[]>,
  { actor, open }: Importer,
): AsyncGenerator<Outcome[]> {
  const work = async (lines: Line[]) => {
    await yieldToRouting(db)
    const { org, now } = await open()
    const candidates = lines.filter((line) => 'contact' in line)
    const outcomes = await importBatch(db, candidates, { org, actor, now })
    let next = 0
    return lines.flatMap((line) => ('contact' in line ? (outcomes[next++] ?? []) : rejected(line)))
  }
  return workSideBySide(batches, { most: BATCHES, keysOf, work })
}

type Line = Candidate | Rejected

function keysOf(lines: Line[]): Set<string> {
  const contacts = lines.flatMap((line) => ('contact' in line ? line.contact : []))
  const keys = new Set(contacts.map(({ crm_id }) => `crm_id ${crm_id}`))
  if (contacts.some(({ chatroom }) => chatroom)) keys.add(CHATROOMS)
  return keys
}
