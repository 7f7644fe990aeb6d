import { firstUuidOf } from '../../rules/uuid-time.ts'

/** SQL: the chatrooms of the customer $2 in the org $1: all, or the one that $3 names. */
export const ROOMS = `rooms as (
    select id, created_at from chatrooms where org_id = $1 and customer_id = $2 and ($3::uuid is null or id = $3))`

/**
 * SQL: the keys of the customer's messages behind the place ($4 time, $5 sequence), the newest first, at most `limit`: of its
 * chatrooms, and those that are held for it.
 */
export const messageKeysSql = (limit: string) => `keys as (
    select k.* from rooms r cross join lateral (
      select wamid, sent_at, seq from messages m
      where m.org_id = $1 and m.chatroom_id = r.id and m.sent_at <= $4::timestamptz
        and (m.sent_at, m.seq) < ($4::timestamptz, $5::bigint)
      order by m.sent_at desc, m.seq desc limit ${limit}) k
    union all (
      select wamid, sent_at, seq from messages m
      where $3::uuid is null and m.org_id = $1 and m.customer_id = $2 and m.route = 'held' and m.chatroom_id is null
        and m.waba_phone_id = any(array(select id from waba_phones where org_id = $1))
        and m.sent_at <= $4::timestamptz and (m.sent_at, m.seq) < ($4::timestamptz, $5::bigint)
      order by m.sent_at desc, m.seq desc limit ${limit})
    order by sent_at desc, seq desc limit ${limit})`

/** SQL: an id in the order of those of events, of the creation of a chatroom `r` that no event records: it was imported. */
const CREATION_ID = `(left(${firstUuidOf('r.created_at')}::text, 14) || right(r.id::text, 22))::uuid`

/**
 * SQL: the customer's events behind the place $4 (the id of an event), the newest first, at most `limit`: its own, those of
 * its chatrooms, each once, and the creation of chatrooms that were imported.
 */
export const eventsSql = (limit: string) => `e as (
    (select id, kind, actor, reason, chatroom_id, wamid, after, created_at from events e
      where $3::uuid is null and e.org_id = $1 and e.customer_id = $2 and e.id < $4::uuid
      order by e.id desc limit ${limit})
    union all
    select e.* from rooms r cross join lateral (
      select id, kind, actor, reason, chatroom_id, wamid, after, created_at from events e
      where e.org_id = $1 and e.chatroom_id = r.id and e.id < $4::uuid order by e.id desc limit ${limit}) e
    union all
    select ${CREATION_ID}, 'chatroom.created', 'import', null, r.id, null, null, r.created_at from rooms r
    where ${CREATION_ID} < $4::uuid and not exists (
      select from events e where e.org_id = $1 and e.chatroom_id = r.id and e.kind = 'chatroom.created'))`
