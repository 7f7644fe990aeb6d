import { nothing, type Statement } from '../db/statement.ts'
import type { KnownNumber } from './number-change.ts'

/** A number with its WABA, and its place among the org's numbers. */
export type KnownNumberOfWaba = KnownNumber & { wabaId: string; displayPhoneNumber: string; position: number }

/** The numbers of an org that ids of Meta, present or former ones, lead to; by that id. */
export function readNumbers(orgId: string, ids: string[]): Statement<Map<string, KnownNumberOfWaba>> {
  return {
    name: 'read-numbers',
    text: `select m.id, p.id as "phoneId", p.remote_id as "remoteId", p.waba_id as "wabaId",
        p.display_phone_number as "displayPhoneNumber", p.position
      from meta_objects m
      join waba_phones p on p.org_id = m.org_id and p.id = coalesce(m.waba_phone_id, m.id)
      where m.kind = 'phone' and m.org_id = $1 and m.id = any($2::text[])`,
    values: [orgId, ids],
    read: (rows: (KnownNumberOfWaba & { id: string })[]) =>
      new Map(rows.map(({ id, ...number }) => [id, number])),
  }
}

/**
 * Gives a number another id of Meta, which the org has claimed. All ids that it had lead to it still. Meta stopped the
 * number under its former id and WABA, if at all, so it may send again. No other row changes: chatrooms, messages and
 * the outbox name the number by `waba_phones.id`.
 */
export function moveNumber(move: { orgId: string; phoneId: string; to: string }): Statement<void> {
  return {
    name: 'move-number',
    text: `with former as (
        update meta_objects m set replaced_at = now() from waba_phones p
        where p.org_id = $1 and p.id = $2 and m.kind = 'phone' and m.id = p.remote_id and m.org_id = $1),
      present as (
        update meta_objects set waba_phone_id = $2, replaced_at = null
        where kind = 'phone' and id = $3 and org_id = $1)
      update waba_phones set moved_to = nullif($3, id), stopped_at = null, stopped_reason = null,
        resumed_at = now()
      where org_id = $1 and id = $2`,
    values: [move.orgId, move.phoneId, move.to],
    read: nothing,
  }
}
