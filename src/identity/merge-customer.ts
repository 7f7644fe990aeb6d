import { nothing, type Statement } from '../db/statement.ts'
import { PREFERRED_FIRST } from '../rules/latest.ts'

/**
 * Merges a customer who has no contacts into the one who is the same person. Held messages go to the chatroom that a
 * message of the customer at that number would go to, or stay held where there is none. Both customers must be locked.
 */
export function mergeCustomer(
  orgId: string,
  { from, into }: { from: string; into: string },
): Statement<void>[] {
  const statement = (name: string, text: string) => ({
    name,
    text,
    values: [orgId, into, from],
    read: nothing,
  })
  return [
    statement('merge-customer', 'update customers set merged_into = $2 where org_id = $1 and id = $3'),
    statement(
      'merge-messages',
      `update messages m set customer_id = $2, chatroom_id = (
          select r.id from chatrooms r
          where r.org_id = $1 and r.customer_id = $2 and r.waba_phone_id = m.waba_phone_id and m.route = 'held'
          order by ${PREFERRED_FIRST}
          limit 1)
        where m.org_id = $1 and m.customer_id = $3 and m.chatroom_id is null
          and m.waba_phone_id = any(array(select id from waba_phones where org_id = $1))`,
    ),
    ...['customer_aliases', 'former_aliases'].map((table) =>
      statement(
        `merge-${table.replace('_', '-')}`,
        `update ${table} set customer_id = $2 where org_id = $1 and customer_id = $3`,
      ),
    ),
  ]
}
