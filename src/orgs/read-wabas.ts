import { eq } from 'drizzle-orm'
import type { z } from 'zod'
import type { Db } from '../db/client.ts'
import { orgs } from '../db/schema/index.ts'
import { allRows, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { NumberDto, OrgDto, WabaDto } from './dtos.ts'
import { readNumbers } from './move-number.ts'
import { settingsOf } from './settings.ts'

type Waba = z.infer<typeof WabaDto>
type PhoneNumber = z.infer<typeof NumberDto>

/** An org with its settings, WABAs and numbers. @throws ApiError NOT_FOUND */
export async function describeOrg(db: Db, orgId: string): Promise<z.infer<typeof OrgDto>> {
  const [org] = await db.select().from(orgs).where(eq(orgs.id, orgId))
  if (!org) throw new ApiError('NOT_FOUND')
  const deleting_since = org.deletingAt?.toISOString() ?? null
  const wabas = await listWabas(db, orgId)
  return { id: org.id, name: org.name, deleting_since, settings: settingsOf(org), wabas }
}

/** The WABAs of an org with their numbers; never their tokens. */
export async function listWabas(db: Db, orgId: string): Promise<Waba[]> {
  const numbers = await listNumbers(db, orgId)
  const wabas = await run(db, {
    text: `select id, name, matrix_host_name, access_token is not null as has_access_token
      from wabas where org_id = $1 order by id`,
    values: [orgId],
    read: allRows<Omit<Waba, 'phones'>>,
  })
  return wabas.map((waba) => ({ ...waba, phones: numbers.filter(({ waba_id }) => waba_id === waba.id) }))
}

/** One WABA. @throws ApiError WABA_NOT_FOUND */
export async function describeWaba(db: Db, orgId: string, id: string): Promise<Waba> {
  const waba = (await listWabas(db, orgId)).find((one) => one.id === id)
  if (!waba) throw new ApiError('WABA_NOT_FOUND')
  return waba
}

/** The numbers of an org, in the order in which new chatrooms take them. */
export function listNumbers(db: Db, orgId: string): Promise<PhoneNumber[]> {
  return run(db, {
    text: `select p.remote_id as id, p.waba_id, p.display_phone_number, p.stopped_reason,
        array(select m.id from meta_objects m
          where m.org_id = p.org_id and m.kind = 'phone' and coalesce(m.waba_phone_id, m.id) = p.id
            and m.id <> p.remote_id order by m.replaced_at, m.id) as former_ids
      from waba_phones p where p.org_id = $1 order by p.position, p.id`,
    values: [orgId],
    read: allRows<PhoneNumber>,
  })
}

/** One number, by a present or former id. @throws ApiError WABA_PHONE_NOT_FOUND */
export async function describeNumber(db: Db, orgId: string, id: string): Promise<PhoneNumber> {
  const known = (await run(db, readNumbers(orgId, [id]))).get(id)
  const number = (await listNumbers(db, orgId)).find((one) => one.id === known?.remoteId)
  if (!number) throw new ApiError('WABA_PHONE_NOT_FOUND')
  return number
}
