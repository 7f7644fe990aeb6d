/** So many chatrooms are looked at for a page. */
const MAX_SCANNED = 5_000

/** SQL: `order` of the rows that `from` gives as `id` and `since`. */
type Order = { from: string; order: string }

const RECENT = `now() - interval '40 days'`

/** SQL: the newest message of the chatroom `f`, of a part of the ledger: most chatrooms have one in its recent months. */
const newestSql = (times: string) => `(
        select m.sent_at, m.direction, m.type from messages m
        where m.org_id = $1 and m.chatroom_id = f.id and m.sent_at ${times}
        order by m.sent_at desc, m.seq desc limit 1)`

/**
 * SQL: a page of at most `$3` chatrooms of the org `$1` behind the place `$2`, with the place at which the look ends. They
 * have the state `$4`, the user `$5` and, by `$6`, wait or do not; null is no filter. Rows are read in the order of the
 * index until the page is full. The times of messages say nothing about waits: Meta's are whole seconds of another clock.
 */
function pageSql({ from, order }: Order): string {
  return `select page.*, last_look.id as "endId", last_look.since as "endSince"
  from (select) as one
  left join (
    select f.id, r.state, r.display_name as "displayName", r.created_at as "createdAt", r.contact_id as "contactId",
      c.crm_id as "crmId", c.first_name as "firstName", c.last_name as "lastName", c.phone, p.waba_id as "wabaId",
      p.remote_id as "remotePhoneId", r.assigned_user_id as "assignedTo", r.pending_user_id as "handoverTo",
      l.sent_at as "lastAt", l.direction as "lastDirection", l.type as "lastType",
      w.since as "waitingSince"
    from (${from} order by ${order} limit ${MAX_SCANNED}) f
    join chatrooms r on r.org_id = $1 and r.id = f.id and r.state = $4
      and ($5::text is null or r.assigned_user_id = $5::text)
    left join waiting_chatrooms w on w.org_id = $1 and w.chatroom_id = f.id
    left join lateral (
      select * from (${newestSql(`> ${RECENT}`)} union all ${newestSql(`<= ${RECENT}`)}) newest limit 1) l on true
    join contacts c on c.org_id = $1 and c.id = r.contact_id
    join waba_phones p on p.org_id = $1 and p.id = r.waba_phone_id
    where $6::boolean is null or (w.since is not null) = $6::boolean
    order by ${order.replaceAll(/\b(id|since)\b/g, 'f.$1')} limit $3) page on true
  left join (${from} order by ${order} offset ${MAX_SCANNED - 1} limit 1) last_look on true`
}

const NEWEST_FIRST = 'id desc'
const IDS = 'select id, null::timestamptz as since from chatrooms where org_id = $1 and id < $2::uuid'

/** All chatrooms, newest first. */
export const ALL = pageSql({ from: IDS, order: NEWEST_FIRST })

/** The active chatrooms of the user `$5`, newest first. */
export const ASSIGNED = pageSql({
  from: `${IDS} and assigned_user_id = $5::text and expired_at is null and deactivated_at is null`,
  order: NEWEST_FIRST,
})

/** The chatrooms that wait, those first that wait longest; the place has the time `$7`. */
export const WAITING = pageSql({
  from: `select chatroom_id as id, since from waiting_chatrooms
    where org_id = $1 and (since, chatroom_id) > ($7::timestamptz, $2::uuid)`,
  order: 'since, id',
})
