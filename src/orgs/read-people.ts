import type { z } from 'zod'
import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { AffiliateDto, GroupDto, Page, UserDto } from './dtos.ts'

type User = z.infer<typeof UserDto>
type Group = z.infer<typeof GroupDto>
type Affiliate = z.infer<typeof AffiliateDto>

/** Of one id, or of those that follow `after` in the order of ids. */
type Which = { id: string } | Page

/** Users of an org, by id; removed ones are none. */
export function readUsers(db: Db, orgId: string, which: Which): Promise<User[]> {
  return run(db, {
    text: `select id, email, name from users where org_id = $1 and removed_at is null and ${fits('id', which)}`,
    values: [orgId, ...valuesOf(which)],
    read: allRows<User>,
  })
}

/** Groups of an org with their members, by id. */
export function readGroups(db: Db, orgId: string, which: Which): Promise<Group[]> {
  return run(db, {
    text: `select g.id, g.name, array(select m.user_id from group_members m
        where m.org_id = g.org_id and m.group_id = g.id order by m.user_id) as members
      from groups g where g.org_id = $1 and ${fits('g.id', which)}`,
    values: [orgId, ...valuesOf(which)],
    read: allRows<Group>,
  })
}

/** Affiliates of an org, by `crm_id`. They are few, and found by the index over affiliates. */
export function readAffiliates(db: Db, orgId: string, which: Which): Promise<Affiliate[]> {
  return run(db, {
    text: `select c.crm_id, c.phone, p.remote_id as remote_phone_id
      from (select * from contacts where org_id = $1 and is_affiliate offset 0) c
      join contact_wabas w on w.org_id = c.org_id and w.contact_id = c.id
      join waba_phones p on p.org_id = w.org_id and p.id = w.waba_phone_id
      where ${fits('c.crm_id', which)}`,
    values: [orgId, ...valuesOf(which)],
    read: allRows<Affiliate>,
  })
}

/** The first of these rows. @throws ApiError when there is none */
export function oneOf<T>(rows: T[], missing: 'USER_NOT_FOUND' | 'GROUP_NOT_FOUND' | 'CONTACT_NOT_FOUND'): T {
  const [row] = rows
  if (row === undefined) throw new ApiError(missing, MISSING[missing])
  return row
}

const MISSING = {
  USER_NOT_FOUND: 'There is no user with this id in this org.',
  GROUP_NOT_FOUND: 'There is no group with this id in this org.',
  CONTACT_NOT_FOUND: 'There is no affiliate with this crm_id in this org.',
}

/** The `after` of the page behind this one. */
export function nextAfter<T>(rows: T[], { limit }: Page, idOf: (row: T) => string): string | null {
  const last = rows.at(-1)
  return rows.length < limit || last === undefined ? null : idOf(last)
}

function fits(column: string, which: Which): string {
  return 'id' in which ? `${column} = $2` : `($2::text is null or ${column} > $2) order by ${column} limit $3`
}

function valuesOf(which: Which): unknown[] {
  return 'id' in which ? [which.id] : [which.after, which.limit]
}
