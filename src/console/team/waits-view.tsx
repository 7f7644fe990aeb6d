import type { ListedChatroom } from '../../chatrooms/list-chatrooms.ts'
import { Nothing } from '../ui/empty.tsx'
import { duration, queryString } from '../ui/format.ts'
import { Badge, Moment, Table } from '../ui/parts.tsx'
import { type TeamQuery, teamPath } from './paths.ts'

type Props = {
  rooms: ListedChatroom[]
  next: string | null
  /** Names of users by id. */
  names: Map<string, string>
  query: TeamQuery
  now: Date
}

const HEAD = ['Customer', 'Waits', 'Since', 'Free text', 'Agent', 'To number', 'Last message']

/** After so long without a message of the customer, WhatsApp takes templates only. */
const WINDOW_MS = 86_400_000

/** The chatrooms whose customers wait for an answer, those first that wait longest. */
export function WaitList({ rooms, next, names, query, now }: Props) {
  const whose = query.user === undefined ? '' : ` of ${names.get(query.user) ?? query.user}`
  return (
    <section aria-labelledby="waiting">
      <h2 id="waiting">Waiting customers{whose}</h2>
      {query.user !== undefined && (
        <p>
          <a href={teamPath({ org: query.org, group: query.group })}>Show those of all agents</a>
        </p>
      )}
      {rooms.length === 0 && <NoWaits isEnd={next === null} />}
      {rooms.length > 0 && (
        <Table label="Waiting customers" head={HEAD}>
          {rooms.map((room) => (
            <WaitRow room={room} names={names} org={query.org} now={now} />
          ))}
        </Table>
      )}
      {next !== null && (
        <p>
          <a href={`${teamPath({ ...query, before: next })}#waiting`}>Next page</a>
        </p>
      )}
    </section>
  )
}

function NoWaits({ isEnd }: { isEnd: boolean }) {
  return (
    <Nothing>
      {isEnd
        ? 'Nobody waits: every customer who wrote has an answer.'
        : 'Nobody among the first ones. Look on.'}
    </Nothing>
  )
}

function WaitRow({
  room,
  names,
  org,
  now,
}: {
  room: ListedChatroom
  names: Map<string, string>
  org: string | undefined
  now: Date
}) {
  const { waitingSince: since, lastAt, assignedTo } = room
  return (
    <tr>
      <th scope="row">
        <a href={`/console/customer${queryString({ org, q: room.crmId })}`}>{room.displayName}</a>
      </th>
      <td>{since && duration((now.getTime() - since.getTime()) / 1000)}</td>
      <td>{since && <Moment at={since} />}</td>
      <td>
        <FreeText lastAt={lastAt} now={now} />
      </td>
      <td>{assignedTo === null ? 'nobody' : (names.get(assignedTo) ?? assignedTo)}</td>
      <td>{room.remotePhoneId}</td>
      <td>{room.lastType}</td>
    </tr>
  )
}

/** How long an agent may still answer with free text. */
function FreeText({ lastAt, now }: { lastAt: Date | null; now: Date }) {
  const leftMs = lastAt === null ? 0 : lastAt.getTime() + WINDOW_MS - now.getTime()
  if (leftMs <= 0) return <Badge of="quiet">templates only</Badge>
  return <>{duration(leftMs / 1000)} left</>
}
