/** A line of an export; `kind` says of what. */
export type ExportLine = { kind: string } & Record<string, unknown>

/**
 * A kind of rows about a person. `text` is the SQL of a page: $1 is the org, $2 the customer or chatroom, $3 the number of
 * rows, and the rest is the place behind which the page begins: the columns `key` of the last row before, or `start`. The
 * order begins with the columns of an index, so that no statistics make PostgreSQL read the rows of others.
 */
export type Section = { kind: string; of?: string; text: string; key: string[]; start: unknown[] }

const FIRST_ID = ['00000000-0000-0000-0000-000000000000']
const byId = { key: ['id'], start: FIRST_ID }
const byName = { key: ['name_kind', 'value'], start: ['', ''] }
const byNumber = { key: ['waba_phone_id'], start: [''] }
const byTime = { key: ['sent_at', 'seq', 'wamid'], start: ['-infinity', '-9223372036854775808', ''] }

/** SQL: a few rows `t`, in the order of a key that their index does not have. */
const page = (rows: string, key: string, type = '') =>
  `select * from (${rows} offset 0) t where ${key} > $4${type} order by ${key} limit $3`

const MESSAGE = `m.wamid, m.waba_phone_id, m.customer_id, m.chatroom_id, m.direction, m.type, m.sent_at, m.received_at,
  m.seq::text as seq, m.route, m.reason, m.candidates, m.wa_id, m.user_id, m.status, m.status_at, m.errors,
  m.payload as content, m.contact, m.outbox_id as id, m.retry_of`
const BEHIND = '(m.sent_at, m.seq, m.wamid) > ($4::timestamptz, $5::bigint, $6::text)'

/** What is kept of each customer of a person but messages, in the order of the export. */
export const OF_CUSTOMER: Section[] = [
  {
    ...{ kind: 'customer', ...byId },
    text: `select id, profile_name, merged_into, wa_id, wa_id_at, opted_out_at, preference_at, marketing_paused_until,
        created_at from customers where org_id = $1 and id = $2 and id > $4::uuid limit $3`,
  },
  {
    ...{ kind: 'name', ...byName },
    text: `select kind as name_kind, value, customer_id, created_at, since, waba_ids from (
        select * from customer_aliases where org_id = $1 and customer_id = $2 offset 0) t
      where (kind, value) > ($4, $5) order by kind, value limit $3`,
  },
  {
    ...{ kind: 'former_name', key: ['until', ...byName.key], start: ['-infinity', ...byName.start] },
    text: `select kind as name_kind, value, customer_id, created_at, until from (
        select * from former_aliases where org_id = $1 and customer_id = $2 offset 0) t
      where (until, kind, value) > ($4::timestamptz, $5, $6) order by until, kind, value limit $3`,
  },
  {
    ...{ kind: 'contact', ...byId },
    text: page(
      `select c.id, c.customer_id, c.crm_id, c.phone, c.first_name, c.last_name, c.opt_in_date, c.governance_level_id,
        c.is_inbound, c.is_affiliate, c.source, c.stage, c.disposition, c.additional_fields, c.expired_at, c.created_at,
        w.waba_phone_id
      from contacts c left join contact_wabas w on w.org_id = c.org_id and w.contact_id = c.id
      where c.org_id = $1 and c.customer_id = $2`,
      'id',
      '::uuid',
    ),
  },
  {
    ...{ kind: 'chatroom', ...byId },
    text: page(
      `select r.id, r.customer_id, r.contact_id, r.waba_phone_id, r.display_name, r.external_ref_id, r.state,
        r.created_at, r.activated_at, r.last_inbound_at, r.deactivated_at, r.deactivation_reason, r.expired_at,
        r.pending_user_id, r.last_auto_reply_at, w.since as waiting_since, (
          select coalesce(json_agg(json_build_object('user_id', u.user_id, 'visible_from', u.visible_from,
            'created_at', u.created_at)), '[]')
          from chatroom_members u where u.org_id = r.org_id and u.chatroom_id = r.id) as assignments
      from chatrooms r left join waiting_chatrooms w on w.org_id = r.org_id and w.chatroom_id = r.id
      where r.org_id = $1 and r.customer_id = $2`,
      'id',
      '::uuid',
    ),
  },
  {
    ...{ kind: 'call', ...byNumber },
    text: page(
      'select customer_id, waba_phone_id, called_at from last_calls where org_id = $1 and customer_id = $2',
      'waba_phone_id',
    ),
  },
  {
    ...{ kind: 'send', ...byId },
    text: page(
      `select id, customer_id, chatroom_id, waba_phone_id, kind as send_kind, origin, in_reply_to, retry_of, payload, state,
        attempts, due_at, claimed_at, wamid, error, created_at
      from outbox where org_id = $1 and customer_id = $2`,
      'id',
      '::uuid',
    ),
  },
  {
    ...{ kind: 'audit', ...byId },
    text: `select id, kind as event, actor, reason, customer_id, contact_id, chatroom_id, wamid, before, after, created_at
      from events where org_id = $1 and customer_id = $2 and id > $4::uuid order by customer_id, id limit $3`,
  },
]

/** The messages of a customer in no chatroom, such as held ones. */
export const IN_NO_ROOM: Section = {
  ...{ kind: 'message', of: 'no-room', ...byTime },
  text: `select ${MESSAGE} from (
      select * from messages where org_id = $1 and customer_id = $2 and chatroom_id is null
        and waba_phone_id = any(array(select id from waba_phones where org_id = $1)) offset 0) m
    where ${BEHIND} order by m.sent_at, m.seq, m.wamid limit $3`,
}

/** The messages of a chatroom. */
export const IN_ROOM: Section = {
  ...{ kind: 'message', of: 'room', ...byTime },
  text: `select ${MESSAGE} from messages m where m.org_id = $1 and m.chatroom_id = $2 and ${BEHIND}
    order by m.chatroom_id, m.sent_at, m.seq, m.wamid limit $3`,
}
