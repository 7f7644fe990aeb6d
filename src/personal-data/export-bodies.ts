import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'
import { parseEnvelope } from '../webhook/envelope.ts'
import { toJson } from '../webhook/fields.ts'
import type { ExportLine } from './export-sections.ts'
import { type KnownPerson, readMetaIds } from './find-person.ts'
import { partsAbout } from './names-in-json.ts'
import { isOfOrg } from './owned-changes.ts'

/** Rows that a page looks at. */
const PAGE = 500

/** The parts about the person of webhook fields that carry no messages. */
export async function* exportAccountEvents(db: Db, person: KnownPerson): AsyncGenerator<ExportLine[]> {
  type Row = { digest: Buffer; field: string; received_at: Date; payload: Record<string, unknown> | null }
  for (let [rows, after]: [number, Buffer] = [PAGE, Buffer.alloc(0)]; rows === PAGE; ) {
    const page: Row[] = await run(db, {
      name: 'export-account-events',
      text: `select digest, field, received_at, case when ${mentions('payload::text', '$4')} then payload end as payload
        from account_events where org_id = $1 and digest > $2 order by digest limit $3`,
      values: [person.orgId, after, PAGE, [...person.values]],
      read: allRows<Row>,
    })
    const found = page.flatMap(({ field, received_at, payload }) => {
      const parts = payload ? partsAbout(payload, person.values) : []
      return parts.length > 0 ? [{ kind: 'account_event', field, received_at, parts }] : []
    })
    if (found.length > 0) yield found
    after = page.at(-1)?.digest ?? after
    rows = page.length
  }
}

/** The parts about the person of deliveries that are not routed: those that wait, are parked, or are dead letters. */
export async function* exportDeliveries(db: Db, person: KnownPerson): AsyncGenerator<ExportLine[]> {
  type Row = { id: string; state: string; received_at: Date; body: Buffer | null }
  const metaIds = await readMetaIds(db, person.orgId)
  for (let [rows, after] = [PAGE, '0']; rows === PAGE; ) {
    const page: Row[] = await run(db, {
      name: 'export-deliveries',
      text: `select id, state, received_at, case when ${mentionsInBytes('body', '$3')} then body end as body
        from inbox where id > $1 order by id limit $2`,
      values: [after, PAGE, [...person.values]],
      read: allRows<Row>,
    })
    const found = page.flatMap(({ id, state, received_at, body }) => {
      const parts = body ? partsOfBody(body, person, metaIds) : []
      return parts.length > 0 ? [{ kind: 'delivery', id, state, received_at, parts }] : []
    })
    if (found.length > 0) yield found
    after = page.at(-1)?.id ?? after
    rows = page.length
  }
}

function partsOfBody(body: Buffer, { values }: KnownPerson, metaIds: ReadonlySet<string>): unknown[] {
  const changes = parseEnvelope(body).changes.filter((change) => isOfOrg(change, metaIds))
  return changes
    .flatMap(({ value }) => partsAbout(value, values))
    .map((part) => JSON.parse(toJson([part])).at(0))
}

/** SQL: whether a text has one of the names $n in it; a first look before JSON is read. */
export function mentions(text: string, names: string): string {
  return `exists (select from unnest(${names}::text[]) as n(name) where position(n.name in ${text}) > 0)`
}

/** SQL: the same for bytes. */
export function mentionsInBytes(bytes: string, names: string): string {
  return `exists (select from unnest(${names}::text[]) as n(name)
    where position(convert_to(n.name, 'UTF8') in ${bytes}) > 0)`
}
