import type { Db } from '../db/client.ts'
import { awaitDurable } from '../db/durable.ts'
import { allRows, run } from '../db/statement.ts'
import { exportAccountEvents, exportDeliveries } from './export-bodies.ts'
import { exportEvents } from './export-events.ts'
import { type ExportLine, IN_NO_ROOM, IN_ROOM, OF_CUSTOMER, type Section } from './export-sections.ts'
import type { KnownPerson } from './find-person.ts'

/** Rows of a page: a page of messages is a few hundred kB. */
const PAGE = 200

/**
 * Everything that is kept about a person in an org, in pages, customer by customer in one order, and at last a line
 * `summary` with the number of lines of each kind: an export without it is not complete. Nothing but a page is in memory.
 * Each page is read as of its own time.
 */
export async function* exportPerson(db: Db, person: KnownPerson): AsyncGenerator<ExportLine[]> {
  const lines: Record<string, number> = {}
  for await (const page of everything(db, person)) {
    await awaitDurable(db)
    for (const { kind } of page) lines[kind] = (lines[kind] ?? 0) + 1
    yield page
  }
  yield [{ kind: 'summary', complete: true, lines }]
}

async function* everything(db: Db, person: KnownPerson): AsyncGenerator<ExportLine[]> {
  const { orgId, customerIds } = person
  for (const customerId of customerIds) {
    for (const section of OF_CUSTOMER) {
      for await (const page of readSection(db, orgId, section, customerId)) {
        yield page
        if (section.kind !== 'chatroom') continue
        for (const room of page) yield* readSection(db, orgId, IN_ROOM, String(room.id))
      }
    }
    yield* readSection(db, orgId, IN_NO_ROOM, customerId)
  }
  yield* exportEvents(db, person)
  yield* exportAccountEvents(db, person)
  yield* exportDeliveries(db, person)
}

async function* readSection(
  db: Db,
  orgId: string,
  { kind, of = kind, text, key, start }: Section,
  subject: string,
): AsyncGenerator<ExportLine[]> {
  for (let [rows, after] = [PAGE, start]; rows === PAGE; ) {
    const page = await run(db, {
      name: `export-${of}`,
      text,
      values: [orgId, subject, PAGE, ...after],
      read: allRows<Record<string, unknown>>,
    })
    if (page.length > 0) yield page.map((row) => ({ kind, ...row }))
    after = key.map((column) => page.at(-1)?.[column])
    rows = page.length
  }
}
