import { type Change, parseEnvelope } from '../webhook/envelope.ts'
import { parseExact, stringifyExact } from '../webhook/exact-json.ts'
import { asId, asList, asObject, type Json } from '../webhook/fields.ts'
import { withoutPerson } from './names-in-json.ts'

/** Whether a change of a delivery is of the org that has these numbers and WABAs at Meta. */
export function isOfOrg(
  { wabaId, value }: Pick<Change, 'wabaId' | 'value'>,
  metaIds: ReadonlySet<string>,
): boolean {
  const ids = [asId(wabaId), asId(asObject(value.metadata)?.phone_number_id)]
  return ids.some((id) => id !== undefined && metaIds.has(id))
}

/**
 * The bytes of a delivery without what is about the person in the changes of the org; undefined where nothing is, and
 * without a body where nothing else is. Bytes that are no delivery of WhatsApp are left as they are.
 */
export function bodyWithoutPerson(
  body: Buffer,
  names: ReadonlySet<string>,
  metaIds: ReadonlySet<string>,
): { body: Buffer | null } | undefined {
  if (parseEnvelope(body).changes.length === 0) return undefined
  const root = parseExact(body.toString()) as Json
  const before = stringifyExact(root)
  const entries = asList(root.entry).flatMap((entry) => entryWithoutPerson(entry, names, metaIds))
  const after = stringifyExact({ ...root, entry: entries })
  if (after === before) return undefined
  return { body: entries.length > 0 ? Buffer.from(after) : null }
}

function entryWithoutPerson(
  value: unknown,
  names: ReadonlySet<string>,
  metaIds: ReadonlySet<string>,
): unknown[] {
  const entry = asObject(value)
  if (!entry || !Array.isArray(entry.changes)) return [value]
  const changes = entry.changes.flatMap((change: unknown) => {
    const content = asObject(asObject(change)?.value)
    if (!content || !isOfOrg({ wabaId: entry.id, value: content }, metaIds)) return [change]
    const rest = withoutPerson(content, names)
    return rest ? [{ ...asObject(change), value: rest }] : []
  })
  return changes.length > 0 || entry.changes.length === 0 ? [{ ...entry, changes }] : []
}
