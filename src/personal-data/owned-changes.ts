import type { Change } from '../webhook/envelope.ts'
import { asId, asObject } from '../webhook/fields.ts'

/** Whether a change of a delivery is of the org that has these numbers and WABAs at Meta. */
export function isOfOrg(
  { wabaId, value }: Pick<Change, 'wabaId' | 'value'>,
  metaIds: ReadonlySet<string>,
): boolean {
  const ids = [asId(wabaId), asId(asObject(value.metadata)?.phone_number_id)]
  return ids.some((id) => id !== undefined && metaIds.has(id))
}
