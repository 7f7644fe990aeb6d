import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'

type Wanted = { wabaId?: string | undefined; phoneId?: string | undefined }

/**
 * The org's numbers that a request allows: all, those of the WABA it names, or the one number it names. They are in
 * the order in which they are to be tried: the contact's mapped number, then by `waba_phones.position`.
 * @throws ApiError WABA_NOT_FOUND, WABA_PHONE_NOT_FOUND (also for a number of another WABA than the one named)
 */
export async function findNumbers(
  db: Db,
  orgId: string,
  { wabaId, phoneId }: Wanted,
  mapped: string | null,
): Promise<string[]> {
  const rows = await run(db, {
    name: 'find-numbers',
    text: `select w.id as "wabaId", p.id as "phoneId"
      from wabas w left join waba_phones p on p.org_id = w.org_id and p.waba_id = w.id
      where w.org_id = $1 order by p.id is not distinct from $2 desc, p.position, p.id`,
    values: [orgId, mapped],
    read: allRows<{ wabaId: string; phoneId: string | null }>,
  })
  const ofWaba = rows.filter((row) => wabaId === undefined || row.wabaId === wabaId)
  if (wabaId !== undefined && ofWaba.length === 0) throw new ApiError('WABA_NOT_FOUND')
  const numbers = ofWaba.flatMap((row) => row.phoneId ?? [])
  if (phoneId === undefined) return numbers
  if (!numbers.includes(phoneId)) throw new ApiError('WABA_PHONE_NOT_FOUND')
  return [phoneId]
}
