import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'

type Wanted = { wabaId?: string | undefined; phoneId?: string | undefined }

/**
 * The org's numbers that a request allows: all, those of the WABA it names, or the one it names; in the order in
 * which they are to be taken (`waba_phones.position`), the contact's mapped number before all others.
 * @throws ApiError WABA_NOT_FOUND, WABA_PHONE_NOT_FOUND (also for a number of another WABA than the one named)
 */
export async function findNumbers(
  db: Db,
  orgId: string,
  { wabaId, phoneId }: Wanted,
  mapped: string | null,
): Promise<string[]> {
  const { rows } = await db.$client.query<{ waba_id: string; phone_id: string | null }>({
    name: 'find-numbers',
    text: `select w.id as waba_id, p.id as phone_id
      from wabas w left join waba_phones p on p.org_id = w.org_id and p.waba_id = w.id
      where w.org_id = $1 order by p.id is not distinct from $2 desc, p.position, p.id`,
    values: [orgId, mapped],
  })
  const ofWaba = rows.filter((r) => wabaId === undefined || r.waba_id === wabaId)
  if (wabaId !== undefined && ofWaba.length === 0) throw new ApiError('WABA_NOT_FOUND')
  const numbers = ofWaba.flatMap((r) => r.phone_id ?? [])
  if (phoneId === undefined) return numbers
  if (!numbers.includes(phoneId)) throw new ApiError('WABA_PHONE_NOT_FOUND')
  return [phoneId]
}
