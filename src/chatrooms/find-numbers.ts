import type { Db } from '../db/client.ts'
import { allRows, run, type Statement } from '../db/statement.ts'
import { ApiError } from '../errors.ts'

type Wanted = { wabaId?: string | undefined; remotePhoneId?: string | undefined }

/** A WABA of an org with one of its numbers, if it has any. */
export type NumberRow = { wabaId: string; phoneId: string | null; remoteId: string | null }
/** `names`: each `phone_number_id` that the number has, or had. */
export type NamedNumber = NumberRow & { names: string[] }
/** A number, by its own id and by Meta's. */
export type AllowedNumber = { phoneId: string; remoteId: string }

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
    read: allRows<NumberRow & { isNamed: boolean | null }>,
  })
  const allowed = allowedNumbers(rows, { wabaId, remotePhoneId }, ({ isNamed }) => isNamed === true)
  return allowed.map(({ phoneId }) => phoneId)
}

/**
 * Those of an org's numbers that a request allows, in their order; see `findNumbers`. `isNamed`: whether a number has, or
 * had, the `phone_number_id` of the request.
 * @throws ApiError WABA_NOT_FOUND, WABA_PHONE_NOT_FOUND
 */
export function allowedNumbers<Row extends NumberRow>(
  rows: Row[],
  { wabaId, remotePhoneId }: Wanted,
  isNamed: (row: Row) => boolean,
): AllowedNumber[] {
  const isOfWaba = (row: Row) => wabaId === undefined || row.wabaId === wabaId
  if (wabaId !== undefined && !rows.some(isOfWaba)) throw new ApiError('WABA_NOT_FOUND')
  const numbers = (some: Row[]) =>
    some.flatMap(({ phoneId, remoteId }) =>
      phoneId === null || remoteId === null ? [] : { phoneId, remoteId },
    )
  if (remotePhoneId === undefined) return numbers(rows.filter(isOfWaba))
  const named = rows.filter((row) => isNamed(row) && (isOfWaba(row) || row.remoteId !== remotePhoneId))
  if (numbers(named).length === 0) throw new ApiError('WABA_PHONE_NOT_FOUND')
  return numbers(named).slice(0, 1)
}

/** All numbers of an org, with all names (`phone_number_id`) that each has, and had. */
export function readNumbersOf(orgId: string): Statement<NamedNumber[]> {
  return {
    name: 'read-numbers-of-org',
    text: `select w.id as "wabaId", p.id as "phoneId", p.remote_id as "remoteId", n.names
      from wabas w left join waba_phones p on p.org_id = w.org_id and p.waba_id = w.id
      left join (
        select coalesce(m.waba_phone_id, m.id) as phone_id, string_agg(m.id, chr(10)) as names from meta_objects m
        where m.org_id = $1 and m.kind = 'phone' group by 1) n on n.phone_id = p.id
      where w.org_id = $1 order by p.position, p.id`,
    values: [orgId],
    read: (rows: (NumberRow & { names: string | null })[]) =>
      rows.map((row) => ({ ...row, names: row.names?.split('\n') ?? [] })),
  }
}
