import { queryString } from '../ui/format.ts'
import { Badge, Moment } from '../ui/parts.tsx'
import { formatPhone } from '../ui/phone.ts'
import type { RecentMessage } from './recent-messages.ts'

/** A message of the feed: who wrote to which number, the decision with its reason, and whose chatroom has it now. */
export function MessageRow({ message }: { message: RecentMessage }) {
  const { orgId, wamid, seq, receivedAt, route, reason, type, sender, number } = message
  return (
    <li data-key={`${orgId} ${wamid}`} data-seq={seq}>
      <Moment at={receivedAt} clock />
      <Badge of={route} />
      <a class="who" href={`/console/customer${queryString({ org: orgId, q: wamid })}`}>
        {sender ? formatPhone(sender) : 'unknown sender'}
      </a>
      <span class="to">
        {type} to {formatPhone(number)} · {orgId}
      </span>
      <Destination message={message} />
      <span class="why">{reason}</span>
    </li>
  )
}

function Destination({
  message: { orgId, wamid, room, crmId, users, pendingUser },
}: {
  message: RecentMessage
}) {
  if (room === null) return <span class="to">no chatroom</span>
  return (
    <span class="to">
      <a href={`/console/customer${queryString({ org: orgId, q: wamid })}#room-${room}`}>
        chatroom of {crmId}
      </a>{' '}
      {users.length > 0 ? `with ${users.join(', ')}` : 'with nobody'}
      {pendingUser && `, next with ${pendingUser}`}
    </span>
  )
}
