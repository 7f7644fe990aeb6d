import type { Db } from '../db/client.ts'
import type { Org } from '../db/schema/index.ts'
import { yieldToRouting } from '../inbox/yield-to-routing.ts'
import type { Candidate, Rejected } from './candidate.ts'
import { importBatch } from './import-batch.ts'
import { type Outcome, rejected } from './outcome.ts'

/** Who imports, and for which org. */
export type Importer = {
  actor: string
  /** The org, and the database's clock, as they are when a batch begins. */
  open: () => Promise<{ org: Org; now: Date }>
}

/**
 * Imports contacts (docs/import.md), a batch in a transaction, and gives the outcomes of each batch, in the order of its
 * lines, when it is committed. The next batch is read while the database works. Routing goes first: while it is late, a
 * batch begins once a second. A contact whose `crm_id` exists is left as it is, so an import that was cut off can be sent
 * again.
 * @throws what reading and the database throw; the batches whose outcomes were given are committed
 */
export async function* importContacts(
  db: Db,
  batches: AsyncIterable<(Candidate | Rejected)[]>,
  { actor, open }: Importer,
): AsyncGenerator<Outcome[]> {
  for await (const lines of ahead(batches)) {
    await yieldToRouting(db)
    const { org, now } = await open()
    const candidates = lines.filter((line) => 'contact' in line)
    const outcomes = await importBatch(db, candidates, { org, actor, now })
    let next = 0
    yield lines.flatMap((line) => ('contact' in line ? (outcomes[next++] ?? []) : rejected(line)))
  }
}

/** The items of a source, each of which is read while the one before is worked on. */
async function* ahead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const items = source[Symbol.asyncIterator]()
  let next = items.next()
  try {
    for (let item = await next; !item.done; item = await next) {
      next = items.next()
      // The failure is thrown at the next turn; until then it is not unhandled.
      next.catch(() => undefined)
      yield item.value
    }
  } finally {
    // Not awaited: the item that is being read may come late, or never.
    items.return?.().catch(() => undefined)
  }
}
