import type { PostedMessage } from './evidence.ts'
import type { InboundRow } from './inbound-rows.ts'
import type { Report } from './report.ts'

/**
 * Checks that each message is stored with its own org, number and sender, in a chatroom of theirs, and that sender
 * and customer name each other throughout. It remembers the customers it has seen: make one for each check.
 */
export function createPlacementCheck(report: Report): (row: InboundRow, posted: PostedMessage) => void {
  /** Of a sender, its customer, and of a customer, its sender. */
  const partners = new Map<string, string>()
  return (row, posted) => {
    const wrong = wrongPlace(row, posted) ?? wrongChatroom(row)
    if (wrong) return report.add('ownPlace', `${row.wamid}: ${wrong}`)
    if (posted.nobody) return checkNobody(row, report)
    const { key = posted.person.waId } = posted.person
    const [sender, customer] = [`${row.org_id} ${key}`, `customer ${row.customer_id}`]
    const known = [partners.get(sender) ?? customer, partners.get(customer) ?? sender]
    if (known[0] !== customer) report.add('oneCustomerPerSender', `${sender} is ${known[0]} and ${customer}`)
    if (known[1] !== sender) report.add('oneCustomerPerSender', `${customer} is ${known[1]} and ${sender}`)
    partners.set(sender, customer).set(customer, sender)
  }
}

function checkNobody({ wamid, customer_id, chatroom_id }: InboundRow, report: Report): void {
  if (customer_id !== null || chatroom_id !== null) report.add('ownIsNobody', wamid)
}

function wrongPlace(row: InboundRow, { number, person, hidden }: PostedMessage): string | undefined {
  if (row.org_id !== number.orgId) return `org ${row.org_id} instead of ${number.orgId}`
  if (row.waba_phone_id !== number.phoneId) return `number ${row.waba_phone_id} instead of ${number.phoneId}`
  // A message that hides its phone gets it all the same when another message of the delivery shows it.
  const phoneFits = row.wa_id === person.waId || (hidden && row.wa_id === null)
  return phoneFits && row.user_id === (person.userId ?? null) ? undefined : 'another sender'
}

function wrongChatroom(row: InboundRow): string | undefined {
  if (row.chatroom_id === null) return undefined
  if (row.room_org === null) return `chatroom ${row.chatroom_id} does not exist`
  const own =
    row.room_org === row.org_id &&
    row.room_customer === row.customer_id &&
    row.room_phone === row.waba_phone_id
  return own ? undefined : `chatroom of ${row.room_org}, ${row.room_customer}, ${row.room_phone}`
}
