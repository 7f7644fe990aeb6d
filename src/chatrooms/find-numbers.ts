import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'

type Wanted = { wabaId?: string | undefined; remotePhoneId?: string | undefined }
type Row = { wabaId: string; phoneId: string | null; remoteId: string | null; isNamed: boolean | null }

/**
 * The org's numbers (`waba_phones.id`) that a request allows: all, those of the WABA it names, or the one number it names
 * by a present or former `phone_number_id`. They are in the order in which they are to be tried: the contact's mapped
 * number, then by `waba_phones.position`.
 * @throws ApiError WABA_NOT_FOUND, WABA_PHONE_NOT_FOUND (also for a number of another WABA than the one named; a former
 * id belongs to a former WABA, so it is accepted with any WABA of the org)
 */
export async function findNumbers(
  db: Db,
  orgId: string,
  { wabaId, remotePhoneId }: Wanted,
  mapped: string | null,
): Promise<string[]> {
  const rows = await run(db, {
    name: 'find-numbers',
    text: `select w.id as "wabaId", p.id as "phoneId", p.remote_id as "remoteId",
        p.id = (select coalesce(m.waba_phone_id, m.id) from meta_objects m
          where m.kind = 'phone' and m.id = $3 and m.org_id = $1) as "isNamed"
      from wabas w left join waba_phones p on p.org_id = w.org_id and p.waba_id = w.id
      where w.org_id = $1 order by p.id is not distinct from $2 desc, p.position, p.id`,
    values: [orgId, mapped, remotePhoneId],
    read: allRows<Row>,
  })
  const isOfWaba = (row: Row) => wabaId === undefined || row.wabaId === wabaId
  if (wabaId !== undefined && !rows.some(isOfWaba)) throw new ApiError('WABA_NOT_FOUND')
  if (remotePhoneId === undefined) return rows.filter(isOfWaba).flatMap((row) => row.phoneId ?? [])
  const named = rows.find((row) => row.isNamed && (isOfWaba(row) || row.remoteId !== remotePhoneId))
  if (!named?.phoneId) throw new ApiError('WABA_PHONE_NOT_FOUND')
  return [named.phoneId]
}
