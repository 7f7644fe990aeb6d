import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'
import type { Rule } from './rules.ts'

/** Statements that find the cases in which a rule about chatrooms does not hold, each as the column `found`. */
const SEARCHES: [Rule, string][] = [
  [
    'oneActive',
    `select concat_ws(' ', org_id, customer_id, waba_phone_id, count(*)) as found from chatrooms
     where expired_at is null and deactivated_at is null
     group by org_id, customer_id, waba_phone_id having count(*) > 1`,
  ],
  [
    'contactExpiresWhole',
    `select 'contact ' || c.id as found from contacts c
     join chatrooms r on r.org_id = c.org_id and r.contact_id = c.id
     where (c.expired_at is null) <> (r.expired_at is null)`,
  ],
  [
    'createdForMessage',
    `select 'chatroom ' || e.chatroom_id as found from events e
     where e.kind = 'chatroom.created' and e.actor = 'routing' and not exists (
       select from messages m where m.org_id = e.org_id and m.wamid = e.wamid and m.chatroom_id = e.chatroom_id)`,
  ],
  [
    'latestInbound',
    `select concat_ws(' ', r.id, r.last_inbound_at, m.latest) as found from chatrooms r
     join (select org_id, chatroom_id, max(sent_at) as latest from messages
           where direction = 'in' and route is not null and type <> 'system'
             and not (route = 'expired' and reason like 'goes with the message%') group by 1, 2) m
       on m.org_id = r.org_id and m.chatroom_id = r.id
     where r.last_inbound_at is distinct from m.latest`,
  ],
]

/** Checks the chatrooms and contacts as they are now. */
export async function checkRooms({ db }: Pick<Evidence, 'db'>, report: Report): Promise<void> {
  for (const [rule, statement] of SEARCHES) {
    const { rows } = await db.$client.query<{ found: string }>(
      `select found from (${statement}) cases limit 1000`,
    )
    for (const { found } of rows) report.add(rule, found)
  }
}
