/** Pairs that a claim may look at, and those that it should. */
export type Turns = {
  /** How many sends may start now. */
  slots: number
  /** How many sends of one org this process may have under way. */
  slotsOfOrg: number
  /** The numbers of the sends that are under way in this process. */
  underWay: { org: string; phoneId: string }[]
  /** WABAs whose access token this process cannot use. */
  unusable: { org: string; wabaId: string }[]
}

/**
 * SQL: `chosen`, the pairs that are due, at most `slots`, by turns (docs/rules.md#turns). The org with the fewest sends
 * under way in this process is next, and of its numbers the one with the fewest; lots decide between equals. Numbers are
 * found by one probe of the index each, so neither the pairs that wait nor those of a stopped number cost anything.
 * $1 slots, $2 slots of an org, $3 and $4 org and number of each send under way, $5 and $6 org and id of unusable WABAs.
 */
export const CHOSEN = `number as (
    (select org_id, waba_phone_id from outbox_pairs where due_at is not null
      order by org_id, waba_phone_id limit 1)
    union all
    select n.org_id, n.waba_phone_id from number cross join lateral (
      select q.org_id, q.waba_phone_id from outbox_pairs q
      where q.due_at is not null and (q.org_id, q.waba_phone_id) > (number.org_id, number.waba_phone_id)
      order by q.org_id, q.waba_phone_id limit 1) n),
  busy as (
    select org_id, phone_id, count(*) as sends from unnest($3::text[], $4::text[]) as b(org_id, phone_id) group by 1, 2),
  by_number as (
    select d.*, coalesce(b.sends, 0) + row_number() over (partition by d.org_id, d.waba_phone_id order by d.due_at) as turn
    from number n
    join waba_phones p on p.org_id = n.org_id and p.id = n.waba_phone_id and p.stopped_at is null
    join wabas w on w.org_id = p.org_id and w.id = p.waba_id and w.access_token is not null
      and (w.org_id, w.id) not in (select * from unnest($5::text[], $6::text[]))
    left join busy b on b.org_id = n.org_id and b.phone_id = n.waba_phone_id
    cross join lateral (
      select q.org_id, q.customer_id, q.waba_phone_id, q.version, q.due_at from outbox_pairs q
      where q.org_id = n.org_id and q.waba_phone_id = n.waba_phone_id and q.due_at <= now()
      order by q.due_at limit $1) d),
  by_org as (
    select d.*, (select coalesce(sum(b.sends), 0) from busy b where b.org_id = d.org_id)
      + row_number() over (partition by d.org_id order by d.turn, random()) as org_turn
    from by_number d),
  chosen as (
    select org_id, customer_id, waba_phone_id, version from by_org where org_turn <= $2
    order by org_turn, random() limit $1)`

/** The values of the parameters of `CHOSEN`. */
export function turnValues({ slots, slotsOfOrg, underWay, unusable }: Turns): unknown[] {
  const busy = [underWay.map(({ org }) => org), underWay.map(({ phoneId }) => phoneId)]
  return [slots, slotsOfOrg, ...busy, unusable.map(({ org }) => org), unusable.map(({ wabaId }) => wabaId)]
}
